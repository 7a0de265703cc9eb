// Reads docker configs, one JSON string a line, with Go's own encoding/json and encoding/base64, by the rules of go-containerregistry:
// prints for the entry of reg.io what is in it, or why not, one JSON object a line.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

type entry struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

type config struct {
	Auths map[string]json.RawMessage `json:"auths"`
}

func decoded(auth string) (string, string, error) {
	encoding := base64.RawStdEncoding
	if strings.HasSuffix(strings.TrimSpace(auth), "=") {
		encoding = base64.StdEncoding
	}
	bytes, err := encoding.DecodeString(auth)
	if err != nil {
		return "", "", err
	}
	if !utf8.Valid(bytes) {
		return "", "", errors.New("no text")
	}
	user, password, found := strings.Cut(string(bytes), ":")
	if !found {
		return "", "", errors.New("no colon")
	}
	return user, strings.Trim(password, "\x00"), nil
}

func read(text string) (string, error) {
	var whole config
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		return "", err
	}
	raw, there := whole.Auths["reg.io"]
	if !there {
		return "none", nil
	}
	var found entry
	if err := json.Unmarshal(raw, &found); err != nil {
		return "", err
	}
	if found.Auth != "" {
		user, password, err := decoded(found.Auth)
		if err != nil {
			return "", err
		}
		found.Username, found.Password = user, password
	}
	switch {
	case found.RegistryToken != "":
		return "registry-token " + found.RegistryToken, nil
	case found.IdentityToken != "":
		return "identity-token " + found.IdentityToken, nil
	case found.Username == "" && found.Password == "":
		return "none", nil
	}
	return fmt.Sprintf("basic %s:%s", found.Username, found.Password), nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			panic(err)
		}
		said, err := read(text)
		// The one thing that is not Go's: what no header can hold is refused when it is read.
		if err != nil || strings.ContainsFunc(said, unicode.IsControl) {
			said = "fault"
		}
		line, _ := json.Marshal(said)
		fmt.Println(string(line))
	}
}
