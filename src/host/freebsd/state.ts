export async function readFreebsdState() {
  return {};
}
