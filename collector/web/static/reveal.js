// Shows a picture in its place, for the reason that was given. Without this script the
// form opens it in a page of its own.
"use strict";
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-reveal]")) return;
  event.preventDefault();
  const problem = form.querySelector("[role=alert]"), button = form.querySelector("button");
  problem.hidden = true;
  button.disabled = true;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { accept: "image/webp, application/problem+json" },
      cache: "no-store",
    });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const picture = document.createElement("img");
    picture.alt = "The screen at the time of the match";
    picture.src = URL.createObjectURL(await answer.blob());
    picture.onload = () => URL.revokeObjectURL(picture.src);
    const shot = form.closest("[data-shot]");
    shot.replaceChildren(picture);
    shot.classList.add("seen");
  } catch (error) {
    problem.textContent = error.message || "The picture could not be shown.";
    problem.hidden = false;
    button.disabled = false;
  }
});
