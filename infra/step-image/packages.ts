/** What the image is made of: one Debian release, and the versions it was last built and tried with (spec 08). */

/** Debian release all packages come from. Moving to another one is a change of this file, tried by hand. */
export const debianRelease = 'bookworm';

/**
 * Package → version. A version that has left the mirror (a security fix replaced it) is replaced by the release's candidate, which is
 * reported and recorded in the image's label `kpackless.packages`; see `resolvePackages`.
 */
export const pinnedPackages: Readonly<Record<string, string>> = {
  'busybox-static': '1:1.35.0-4+deb12u1+b1',
  'ca-certificates': '20250419~deb12u2',
  dash: '0.5.12-2',
  git: '1:2.39.5-0+deb12u3',
  'git-lfs': '3.3.0-1+deb12u2',
  libbrotli1: '1.0.9-2+deb12u1',
  libc6: '2.36-9+deb12u14',
  'libcom-err2': '1.47.0-2+b2',
  'libcurl3-gnutls': '7.88.1-10+deb12u15',
  libffi8: '3.4.4-1',
  'libgcc-s1': '12.2.0-14+deb12u1',
  libgmp10: '2:6.2.1+dfsg1-1.1',
  libgnutls30: '3.7.9-2+deb12u7',
  'libgssapi-krb5-2': '1.20.1-2+deb12u5',
  libhogweed6: '3.8.1-2',
  'libidn2-0': '2.3.3-1+b1',
  libk5crypto3: '1.20.1-2+deb12u5',
  libkeyutils1: '1.6.3-2',
  'libkrb5-3': '1.20.1-2+deb12u5',
  libkrb5support0: '1.20.1-2+deb12u5',
  'libldap-2.5-0': '2.5.13+dfsg-5',
  libnettle8: '3.8.1-2',
  'libnghttp2-14': '1.52.0-1+deb12u3',
  'libnss-wrapper': '1.1.12-1',
  'libp11-kit0': '0.24.1-2',
  'libpcre2-8-0': '10.42-1+deb12u2',
  libpsl5: '0.21.2-1',
  librtmp1: '2.4+20151223.gitfa8646d.1-2+b2',
  'libsasl2-2': '2.1.28+dfsg-10+deb12u1',
  libselinux1: '3.4-1+b6',
  'libssh2-1': '1.10.0-3+deb12u1',
  libssl3: '3.0.22-1~deb12u2',
  'libstdc++6': '12.2.0-14+deb12u1',
  'libtasn1-6': '4.19.0-2+deb12u1',
  libunistring2: '1.0-2',
  libzstd1: '1.5.4+dfsg2-5',
  'openssh-client': '1:9.2p1-2+deb12u10',
  zlib1g: '1:1.2.13.dfsg-1',
};
