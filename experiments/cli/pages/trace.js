"use strict";
(() => {
  const steps = [...document.querySelectorAll(".step")];
  const links = [...document.querySelectorAll("nav a")];
  const back = document.getElementById("back"), on = document.getElementById("on");
  const said = document.getElementById("said"), count = document.getElementById("count");
  const parts = [...document.querySelectorAll("svg [id]")];
  const part = id => id ? document.getElementById(id) : null;
  let now = -1;

  const asked = () => {
    const found = /^#step-(\d+)$/.exec(location.hash);
    const number = found ? Number(found[1]) - 1 : 0;
    return number >= 0 && number < steps.length ? number : 0;
  };

  const mark = () => {
    parts.forEach(each => each.classList.remove("now", "past"));
    steps.slice(0, now + 1).forEach(step => {
      [part(step.dataset.at), part(step.dataset.via)].forEach(each => each?.classList.add("past"));
    });
    const branches = "branches" in steps[now].dataset;
    parts.filter(each => each.id.includes("branch:")).forEach(each => each.classList.toggle("past", branches));
    [part(steps[now].dataset.at), part(steps[now].dataset.via)].forEach(each => each?.classList.add("now"));
  };

  const show = (number, isAsked) => {
    const next = Math.min(Math.max(number, 0), steps.length - 1);
    if (next === now) return;
    now = next;
    steps.forEach((step, at) => { step.hidden = at !== now; });
    links.forEach((link, at) => {
      if (at === now) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    back.setAttribute("aria-disabled", String(now === 0));
    on.setAttribute("aria-disabled", String(now === steps.length - 1));
    count.textContent = `${now + 1} / ${steps.length}`;
    mark();
    if (!isAsked) return;
    const words = [".kicker", "h2", ".why"].map(each => steps[now].querySelector(each).textContent);
    said.textContent = words.join(". ");
    history.replaceState(null, "", `#step-${now + 1}`);
  };

  back.addEventListener("click", () => show(now - 1, true));
  on.addEventListener("click", () => show(now + 1, true));
  links.forEach((link, at) => link.addEventListener("click", event => {
    event.preventDefault();
    show(at, true);
  }));
  addEventListener("hashchange", () => show(asked(), true));
  addEventListener("keydown", event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const to = {ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: steps.length - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to, true);
  });
  document.documentElement.classList.add("js");
  document.querySelectorAll(".controls, .keys").forEach(each => { each.hidden = false; });
  show(asked(), false);
})();
