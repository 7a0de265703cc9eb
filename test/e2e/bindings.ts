/** A script of the sample buildpack's that writes down which bindings it was given. */

/** As file `build-script` of a source; the app then has file `bindings`. */
export const listBindings = `out="$PWD/bindings"
cd "$1/bindings"
find -L . -type f ! -path '*/..*' | sort | while read -r file; do echo "$file: $(cat "$file")"; done > "$out"
`;
