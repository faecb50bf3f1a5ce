"use strict";

// The token of a link stands behind the "#". It is taken out of the address at once, so that it
// neither stays in the history nor is copied along with the address.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (location.hash) {
  history.replaceState(null, "", location.pathname);
}

const OFFLINE = "The server cannot be reached. Try again in a moment.";

function part(name) {
  return document.getElementById(name);
}

function show(name) {
  for (const section of document.querySelectorAll("main > section")) {
    section.hidden = section.id !== name;
  }
  const section = part(name);
  const inputs = [...section.querySelectorAll("input")];
  const first = inputs.find((input) => !input.closest("[hidden]")) || section.querySelector("h1");
  first.focus();
}

function fill(name, text) {
  for (const place of document.querySelectorAll(`[data-text="${name}"]`)) {
    place.textContent = text;
  }
}

async function call(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers: body ? { "content-type": "application/json" } : {},
      body: body && JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
    });
  } catch {
    return { ok: false, problem: { detail: OFFLINE } };
  }
  const isJson = (answer.headers.get("content-type") || "").includes("json");
  const content = isJson ? await answer.json() : {};
  return answer.ok ? { ok: true, content } : { ok: false, problem: content };
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function clear(form) {
  for (const mark of form.querySelectorAll(".wrong, .refusal")) {
    mark.hidden = true;
    mark.textContent = "";
  }
  for (const input of form.elements) {
    input.removeAttribute("aria-invalid");
  }
}

function explain(form, problem) {
  let explained = 0;
  for (const error of problem.errors || []) {
    const input = form.elements.namedItem(error.field);
    const mark = form.querySelector(`[data-wrong="${CSS.escape(error.field)}"]`);
    if (!input || !mark) {
      continue;
    }
    input.setAttribute("aria-invalid", "true");
    mark.textContent = sentence(error.message);
    mark.hidden = false;
    if (explained === 0) {
      input.focus();
    }
    explained += 1;
  }
  if (explained === 0) {
    const refusal = form.querySelector(".refusal");
    refusal.textContent = problem.detail || "That did not work.";
    refusal.hidden = false;
  }
}

function values(form) {
  const given = {};
  for (const input of form.elements) {
    if (input.name && !input.closest("[hidden]") && !(input.dataset.optional && !input.value)) {
      given[input.name] = input.value;
    }
  }
  return given;
}

// Sends what was typed, with the token if there is one, and shows the section `done`.
function sends(name, path, done) {
  const form = part(name).querySelector("form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    clear(form);
    const body = token ? { token, ...values(form) } : values(form);
    const answer = await call("POST", path, body);
    button.disabled = false;
    if (answer.ok) {
      form.reset();
      show(done);
    } else {
      explain(form, answer.problem);
    }
  });
}

function showsPasswords() {
  for (const box of document.querySelectorAll("input[data-shows]")) {
    box.addEventListener("change", () => {
      const input = box.form.elements.namedItem(box.dataset.shows);
      input.type = box.checked ? "text" : "password";
    });
  }
}

function refuse(problem) {
  fill("refusal", problem.detail || "That did not work.");
  show("refused");
}

async function setUp() {
  sends("claim", "/setup", "done");
  const answer = await call("GET", "/setup");
  if (!answer.ok) {
    refuse(answer.problem);
  } else if (!answer.content.needs_setup) {
    show("over");
  } else {
    show(token ? "claim" : "tokenless");
  }
}

async function resetPassword() {
  sends("ask", "/auth/password_reset", "asked");
  sends("set", "/auth/password_reset/confirm", "done");
  show(token ? "set" : "ask");
}

async function acceptInvitation() {
  sends("accept", "/invitations/accept", "done");
  if (!token) {
    show("tokenless");
    return;
  }
  const answer = await call("POST", "/invitations/inspect", { token });
  if (!answer.ok) {
    refuse(answer.problem);
    return;
  }
  const invitation = answer.content;
  fill("team", invitation.team_name);
  fill("email", invitation.email);
  fill("role", invitation.role);
  part("accept").querySelector("input[name=username]").value = invitation.email;
  for (const piece of document.querySelectorAll("[data-account]")) {
    piece.hidden = (piece.dataset.account === "old") !== invitation.has_account;
  }
  const password = part("accept").querySelector("input[name=password]");
  password.autocomplete = invitation.has_account ? "current-password" : "new-password";
  show("accept");
}

const PAGES = { setup: setUp, "reset-password": resetPassword, invitation: acceptInvitation };

showsPasswords();
PAGES[document.body.dataset.page]();
