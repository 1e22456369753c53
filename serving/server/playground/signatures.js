/** What can be asked of a model: its signatures, what each takes and of what kind each answer is, by metadata and card alone. */

export const IMAGE = "image",
  TEXT = "text",
  CODE = "code",
  MASK = "mask",
  NUMBER = "number",
  CLASS = "class",
  JSON_ROW = "json";
const DEFAULT = "serving_default";
const FOR_MACHINES = new Set(["examples", "inputs"]); // serialized tf.Examples
const SEEN = new Set(["number", "frame", "text", "bytes"]); // kinds for which no further signature is asked
const MOST_SLIDERS = 1024;

/**
 * @param metadata as TF Serving answers it. card: as hubel wrote it, or null.
 * @returns a list of {signature, name, takes, inputs, gives, outputs}: `takes` is IMAGE, TEXT, CODE or JSON_ROW, `inputs` a list of
 *   {name, role, size, names}, `gives` the kind of each output.
 */
export function functions(metadata, card) {
  const signatures = metadata.metadata.signature_def.signature_def;
  return Object.keys(signatures)
    .filter((signature) => Object.keys(signatures[signature].inputs).length && Object.keys(signatures[signature].outputs).length)
    .map((signature) => described(signature, signatures[signature], card))
    .sort((first, other) => rank(first, card) - rank(other, card) || first.signature.localeCompare(other.signature));
}

/** The signatures that say together all that a model says of an image; one where one says all. */
export function everything(all) {
  const left = all.filter((each) => each.takes === IMAGE && each.inputs.length === 1);
  left.sort((first, other) => (first.name === DEFAULT) - (other.name === DEFAULT)); // a function's own name says more
  const chosen = [],
    told = new Set();
  for (;;) {
    const news = (each) => new Set(Object.values(each.gives).filter((kind) => !SEEN.has(kind) && !told.has(kind))).size;
    const best = left.reduce((best, each) => (news(each) > news(best) ? each : best), left[0]);
    if (!best || !news(best)) return chosen.length ? chosen : left.slice(0, 1);
    chosen.push(best);
    Object.values(best.gives).forEach((kind) => told.add(kind));
  }
}

function described(signature, definition, card) {
  const name = base(signature, Object.keys(definition.inputs));
  const gives = { ...(card?.gives?.[name] ?? {}) };
  for (const output of Object.keys(definition.outputs)) gives[output] ??= kindOf(output, definition);
  for (const output of Object.keys(gives)) if (!(output in definition.outputs)) delete gives[output];
  let inputs = Object.entries(definition.inputs).map(([input, info]) => ({ name: input, ...roleOf(input, info, card) }));
  inputs.sort((first, other) => (other.role === IMAGE) - (first.role === IMAGE));
  const takes = takenBy(inputs);
  if (takes === JSON_ROW) inputs = inputs.map((input) => ({ ...input, role: JSON_ROW }));
  return { signature, name, takes, inputs, gives, outputs: Object.keys(definition.outputs) };
}

/** The function of the card that a signature is an end of: "reconstruct_image_bytes" is one of "reconstruct". */
function base(signature, inputs) {
  for (const input of inputs) {
    if (signature === input) return DEFAULT;
    if (signature.endsWith(`_${input}`)) return signature.slice(0, -input.length - 1);
  }
  return signature;
}

/** The kind of an output that no card tells of. */
function kindOf(output, { method_name: method, outputs }) {
  if (method === "tensorflow/serving/classify" && output === "classes") return "names";
  if (method === "tensorflow/serving/classify" && output === "scores") return "scores";
  return outputs[output].dtype === "DT_STRING" ? "text" : "number";
}

function roleOf(name, info, card) {
  const { dtype } = info;
  const sizes = info.tensor_shape.unknown_rank ? null : info.tensor_shape.dim.map((dim) => Number(dim.size));
  const each = sizes?.slice(1); // of an example
  if (dtype === "DT_STRING" && sizes?.length === 1 && !FOR_MACHINES.has(name)) {
    if (name === "mask") return { role: MASK };
    return { role: name.endsWith("_bytes") ? IMAGE : TEXT };
  }
  const isFloat = dtype === "DT_FLOAT" || dtype === "DT_DOUBLE";
  if (isFloat && each?.length === 1 && each[0] > 0 && each[0] <= MOST_SLIDERS) return { role: CODE, size: each[0] };
  if (name === "label" && /^DT_INT/.test(dtype) && sizes?.length === 1) return { role: CLASS, names: card?.class_names ?? [] };
  if ((isFloat || /^DT_INT/.test(dtype)) && sizes?.length === 1) return { role: NUMBER };
  return { role: JSON_ROW };
}

/** What a person gives first; with several such inputs, or one that nobody can type, all is JSON. */
function takenBy(inputs) {
  const first = inputs.filter(({ role }) => [IMAGE, TEXT, CODE].includes(role));
  const masks = inputs.filter(({ role }) => role === MASK);
  const isPlain =
    inputs.every(({ role }) => role !== JSON_ROW) && first.length === 1 && masks.length <= (first[0].role === IMAGE ? 1 : 0);
  return isPlain ? first[0].role : JSON_ROW;
}

const ORDER = [IMAGE, TEXT, CODE, JSON_ROW];

/** The signature that `hubel predict` asks comes first, then what a person can give. */
function rank(each, card) {
  const isPredicted = each.name === (card?.predicts ?? DEFAULT) && each.takes !== JSON_ROW;
  return isPredicted ? -1 : ORDER.indexOf(each.takes) + (each.name === DEFAULT ? 0 : 0.5);
}
