/** SLSA v1 provenance of a build, in kpack's form (spec 03 §19.2; slsa.dev/provenance/v1). Pure. */

/** The kpack release whose form of provenance this is: verifiers' policies name its build type. */
const kpackVersion = '0.17.2';

export const statementType = 'https://in-toto.io/Statement/v0.1';
export const provenanceType = 'https://slsa.dev/provenance/v1';
/** Media type of a statement in an envelope. */
export const statementMediaType = 'application/vnd.in-toto+json';

const buildType = `https://github.com/buildpacks-community/kpack/blob/v${kpackVersion}/docs/slsa.md`;
const builderId = (isSigned: boolean): string => `https://kpack.io/slsa/${isSigned ? 'signed' : 'unsigned'}-build`;

/** Something that went into a build (SLSA's ResourceDescriptor). */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
  readonly content?: string;
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An object of the cluster at a version. */
export interface VersionedObject {
  readonly name: string;
  readonly resourceVersion: string;
}

const hex = (digest: string): string => digest.replace(/^sha256:/, '');

/** A builder dependency: an object, or several of a kind under one name. */
export const dependency = (
  name: string,
  objects: VersionedObject | readonly VersionedObject[],
): ResourceDescriptor => ({
  name,
  content: Buffer.from(JSON.stringify(objects)).toString('base64'),
  mediaType: 'application/json',
});

/** What a statement is made from. Digests are `sha256:…`. */
export interface ProvenanceFacts {
  readonly subject: { readonly repository: string; readonly digest: string };
  /** The Build's spec, as it may be shown. */
  readonly externalParameters: unknown;
  /** What the installation decides. */
  readonly internalParameters: Readonly<Record<string, string | boolean>>;
  /** The source that was built, or the image that was rebased. */
  readonly material: ResourceDescriptor;
  readonly builder: {
    readonly repository: string;
    readonly digest: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly lifecycleVersion: string;
  /** This project's release. */
  readonly release: string;
  readonly isSigned: boolean;
  readonly dependencies: readonly ResourceDescriptor[];
  readonly invocationId: string;
  /** RFC 3339; absent when not known. */
  readonly startedOn?: string | undefined;
  readonly finishedOn?: string | undefined;
}

/** The in-toto statement, as JSON. */
export const provenanceStatement = (facts: ProvenanceFacts): Uint8Array => {
  const { subject, builder, invocationId, startedOn, finishedOn } = facts;
  const statement = {
    _type: statementType,
    predicateType: provenanceType,
    subject: [{ name: subject.repository, digest: { sha256: hex(subject.digest) } }],
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: facts.externalParameters,
        internalParameters: facts.internalParameters,
        resolvedDependencies: [
          facts.material,
          {
            name: 'builder-image',
            uri: builder.repository,
            digest: { sha256: hex(builder.digest) },
            annotations: builder.labels,
          },
        ],
      },
      runDetails: {
        builder: {
          id: builderId(facts.isSigned),
          version: { kpack: kpackVersion, kpackless: facts.release, lifecycle: facts.lifecycleVersion },
          builderDependencies: facts.dependencies,
        },
        metadata: { invocationID: invocationId, startedOn, finishedOn },
      },
    },
  };
  return new TextEncoder().encode(JSON.stringify(statement));
};
