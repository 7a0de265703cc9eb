/** A program for a bundle: both ends of an SSH connection over loopback, as ssh2 makes them. Its last line says how far that came. */
import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
  client.on('authentication', (context) => context.accept());
  client.on('error', () => undefined);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const client = new ssh2.Client();
  client.on('ready', () => process.stdout.write('ready\n', () => process.exit(0)));
  client.connect({
    host: '127.0.0.1',
    port,
    username: 'git',
    algorithms: { cipher: ['chacha20-poly1305@openssh.com'] },
  });
});
