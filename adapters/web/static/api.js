// Talks to the server. Every delivery has a key; a delivery that got lost is sent again with the same key, and is done once.

const PAUSES = [300, 1000, 2500]; // milliseconds before the second, third and fourth try

/** A sentence for the person, and whether it makes sense to try again. */
export class Failure extends Error {
  constructor(sentence, again = false) {
    super(sentence);
    this.again = again;
  }
}

/** A fresh delivery key. */
export const newKey = () =>
  crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Posts JSON and returns the answer; raises Failure. Only what never reached the server is repeated by itself. */
export async function post(path, body, pauses = PAUSES) {
  for (let attempt = 0; ; attempt++) {
    let response;
    try {
      response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    } catch {
      if (attempt < pauses.length) {
        await pause(pauses[attempt]);
        continue;
      }
      throw new Failure("gonogo did not answer. Nothing is lost: trying again does it once.", true);
    }
    return read(response);
  }
}

/** Gets JSON; raises Failure. */
export async function get(path) {
  let response;
  try {
    response = await fetch(path);
  } catch {
    throw new Failure("gonogo does not answer.", true);
  }
  return read(response);
}

async function read(response) {
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const sentence = answer?.error ?? `gonogo answered with an error (${response.status}).`;
  throw new Failure(sentence, response.status >= 500 || response.status === 408);
}
