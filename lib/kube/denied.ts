/**
 * Refusals of admission: a policy or webhook said no to an object that the API itself takes. They come with any status that their author chose
 * (ValidatingAdmissionPolicies use 422 unless told otherwise, webhooks 400 or whatever they answer), and may be withdrawn at any time. Pure.
 */

/** How the API server begins or ends what it says then (apiserver, `admission/plugin/webhook/errors` and `admission/plugin/policy`). */
const sayings: readonly RegExp[] = [
  /admission webhook "[^"]{1,300}" denied the request/u,
  /(?:Validating|Mutating)AdmissionPolicy '[^']{1,300}' with binding '[^']{1,300}' denied request/u,
  /\bdenied request: /u,
  /violates PodSecurity /u,
  // Plugins of API servers that have policies of their own: images, node selectors and tolerations of a namespace, OpenShift's constraints.
  /image policy webhook backend denied /u,
  /conflicts? with its (?:namespace|cluster|whitelist)/u,
  /unable to validate against any security context constraint/u,
];

/** Longest part of a message that is looked at. */
const longest = 4000;

/** Whether a message is that of a policy, whatever its status. */
export const isDenial = (message: string): boolean => {
  const beginning = message.slice(0, longest);
  return sayings.some((saying) => saying.test(beginning));
};
