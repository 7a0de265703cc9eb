/** The sample's source: files by path. */
export type Files = Readonly<Record<string, string>>;

/** What the sample app is: the buildpack serves it over http. */
export const sampleFiles: Files = {
  'index.html': 'Hello from kpackless\n',
  'project.toml': '[_]\nschema-version = "0.2"\n[io.buildpacks]\nexclude = ["*.md"]\n',
  'README.md': 'Left out by project.toml.\n',
};
