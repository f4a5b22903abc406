// A practice's worklist: selects everybody without another page, says how many are selected, and prints.
// Without it, "Select everybody" is a link and the browser prints.
const boxes = [...document.querySelectorAll("[data-select] input")];
const all = document.querySelector("[data-select-all]");
const count = document.querySelector("[data-selected]");

function tell() {
  const selected = boxes.filter((box) => box.checked).length;
  count.textContent = selected ? `${selected} selected` : "";
  all.textContent = selected === boxes.length ? "Select nobody" : "Select everybody on this page";
}

if (all && count) {
  all.setAttribute("role", "button");
  all.addEventListener("click", (event) => {
    event.preventDefault();
    const select = boxes.some((box) => !box.checked);
    boxes.forEach((box) => { box.checked = select; });
    tell();
  });
  all.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); all.click(); }
  });
  boxes.forEach((box) => box.addEventListener("change", tell));
  tell();
}
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
