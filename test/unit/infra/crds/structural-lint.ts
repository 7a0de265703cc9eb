/** The rules a schema must keep to be structural (Kubernetes "Specifying a structural schema"), as far as we could break them. */

type Node = Readonly<Record<string, unknown>>;

const allowed = new Set([
  'type',
  'format',
  'description',
  'properties',
  'additionalProperties',
  'items',
  'required',
  'enum',
  'default',
  'nullable',
  'minimum',
  'maxItems',
  'maxLength',
  'maxProperties',
  'minItems',
  'minLength',
  'minProperties',
  'not',
  'pattern',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

const isNode = (input: unknown): input is Node => typeof input === 'object' && input !== null && !Array.isArray(input);

/** What is wrong below `path`, one sentence each. */
export const structuralFaults = (node: unknown, path: string): readonly string[] => {
  if (!isNode(node)) return [`${path} is no schema`];
  const { type, properties, additionalProperties, items, required } = node;
  const faults = Object.keys(node)
    .filter((keyword) => !allowed.has(keyword))
    .map((keyword) => `${path} uses ${keyword}`);
  const typed =
    typeof type === 'string' ||
    node['x-kubernetes-int-or-string'] === true ||
    node['x-kubernetes-preserve-unknown-fields'] === true;
  if (!typed) faults.push(`${path} has no type`);
  if (type === 'array' && items === undefined) faults.push(`${path} is a list of nothing`);
  if (properties !== undefined && additionalProperties !== undefined) faults.push(`${path} is both object and map`);
  const names = isNode(properties) ? Object.keys(properties) : [];
  if (Array.isArray(required)) {
    if (required.length === 0) faults.push(`${path} requires an empty list`);
    for (const name of required)
      if (!names.includes(String(name))) faults.push(`${path} requires unknown ${String(name)}`);
  }
  const children = names.flatMap((name) =>
    structuralFaults(isNode(properties) ? properties[name] : undefined, `${path}.${name}`),
  );
  const map = additionalProperties === undefined ? [] : structuralFaults(additionalProperties, `${path}{}`);
  const list = items === undefined ? [] : structuralFaults(items, `${path}[]`);
  return [...faults, ...children, ...map, ...list];
};

/** Paths below `path` that `kubectl explain` has nothing to say about. */
export const undescribed = (node: unknown, path: string): readonly string[] => {
  if (!isNode(node)) return [];
  const own = typeof node['description'] === 'string' && node['description'] !== '' ? [] : [path];
  const properties = isNode(node['properties']) ? Object.entries(node['properties']) : [];
  return [
    ...own,
    ...properties.flatMap(([name, property]) => undescribed(property, `${path}.${name}`)),
    ...undescribed(node['items'], `${path}[]`),
  ];
};
