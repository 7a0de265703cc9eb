/** Grants that the suite of the emulated account never uses, by role, policy and action, each with its reason. */
export const unusedHere: readonly { readonly what: RegExp; readonly why: string }[] = [
  {
    what: / LogsPolicy /,
    why: 'Lambda itself writes the lines of a function, as its role; here they are read from its output',
  },
  { what: / GrantRolesPolicy /, why: 'no registration here has a grant with a role (test/attack/1-account-role)' },
  {
    what: / queues sqs:(?:ChangeMessageVisibility|SendMessage)$/,
    why: 'to put off what fails and what waits, and to wake those that have none here (test/unit/queue/outages)',
  },
  { what: / queues sqs:GetQueueAttributes$/, why: 'Lambda wants it of who maps a queue' },
  {
    what: /^(?:GitPoll|Builder|Buildpack|ClusterBuildpack|Bulk)Role /,
    why: 'there is no Builder, no Buildpack, no git source and no bulk here; each has the rights of its neighbours',
  },
  {
    what: / ClustersPolicy (?:secretsmanager:GetSecretValue|ssm:GetParameter)$/,
    why: 'no cluster here is reached by what is kept in Secrets Manager or Parameter Store (test/unit/clusters/stored-access)',
  },
  { what: /^SourceResolverRole ClustersPolicy /, why: 'what a registry names is resolved by the pass of the Image' },
  {
    what: /^SourceResolverRole TablePolicy dynamodb:UpdateItem$/,
    why: 'what the pass of the Image has settled is skipped',
  },
  {
    what: / TablePolicy dynamodb:(?:BatchGetItem|DeleteItem)$/,
    why: 'reads are joined, and records dropped, when more happens at once and when objects go (test/unit/state)',
  },
  { what: /^HooksRole hooks sqs:SendMessage$/, why: 'nothing follows the repository that the hook names' },
  { what: /^SweeperRole /, why: 'nothing is due within the minutes of this suite (test/unit/sweeper)' },
];
