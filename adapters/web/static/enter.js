// Asks for the token once; the answer sets a cookie that no script can read.

import { post } from "/static/api.js";

const failure = document.getElementById("failure");
const token = document.getElementById("token");

document.getElementById("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  failure.hidden = true;
  try {
    await post("/api/enter", { token: token.value });
    location.reload();
  } catch (problem) {
    failure.textContent = problem.message;
    failure.hidden = false;
    token.select();
  }
});
