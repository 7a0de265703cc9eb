// Lists archives as Go reads them, in the way kpack unpacks them: a file name a line on standard input, a JSON line for each on standard output.
package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strings"
)

// Entry is a file or folder; others are left out, as in kpack. Name is in hex: JSON would mend bytes that are no UTF-8.
type Entry struct {
	Name   string `json:"name"`
	Folder bool   `json:"folder"`
	Size   int64  `json:"size"`
	Sha256 string `json:"sha256"`
}

// Listing is what an archive holds, and what was said at the end when it was not read to its end.
type Listing struct {
	Entries []Entry `json:"entries"`
	Error   string  `json:"error"`
}

func entry(name string, folder bool, content io.Reader) (Entry, error) {
	made := Entry{Name: hex.EncodeToString([]byte(name)), Folder: folder}
	if folder {
		return made, nil
	}
	hash := sha256.New()
	size, err := io.Copy(hash, content)
	made.Size, made.Sha256 = size, hex.EncodeToString(hash.Sum(nil))
	return made, err
}

func fromTar(content io.Reader, listing *Listing) error {
	reader := tar.NewReader(content)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch header.Typeflag {
		// Contiguous files are files and folders of incremental backups folders: so GNU tar has it, while kpack leaves them out.
		case tar.TypeDir, tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse, 'D':
		default:
			continue
		}
		folder := header.Typeflag == tar.TypeDir || header.Typeflag == 'D'
		made, err := entry(header.Name, folder, reader)
		if err != nil {
			return err
		}
		listing.Entries = append(listing.Entries, made)
	}
}

func fromZip(path string, listing *Listing) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, file := range archive.File {
		folder := file.FileInfo().IsDir()
		var content io.Reader = strings.NewReader("")
		if !folder {
			opened, err := file.Open()
			if err != nil {
				return err
			}
			defer opened.Close()
			content = opened
		}
		made, err := entry(file.Name, folder, content)
		if err != nil {
			return err
		}
		listing.Entries = append(listing.Entries, made)
	}
	return nil
}

func read(path string, listing *Listing) error {
	if strings.HasSuffix(path, ".zip") {
		return fromZip(path, listing)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if !strings.HasSuffix(path, ".gz") {
		return fromTar(file, listing)
	}
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	return fromTar(unpacked, listing)
}

func main() {
	paths := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for paths.Scan() {
		listing := Listing{Entries: []Entry{}}
		if err := read(paths.Text(), &listing); err != nil {
			listing.Error = err.Error()
		}
		answers.Encode(listing)
	}
}
