"use strict";
(() => {
  const form = document.querySelector(".filters");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const names = new Map(all("#curves option").map((option, i) => [i, option.value.toLowerCase()]));
  const only = new Set(); // curves picked in a legend
  const show = (element, wanted) => element.classList.toggle("off", !wanted);

  function chosen() {
    const value = (name) => form.querySelector(`[data-filter="${name}"]`)?.value ?? "";
    const words = value("curve").toLowerCase().split(",").map((word) => word.trim()).filter(Boolean);
    return { suite: value("suite"), model: value("model"), process: value("process"),
             budget: value("budget"), words };
  }

  function wanted(number, words) {
    if (only.size && !only.has(number)) return false;
    const name = names.get(number) ?? "";
    return !words.length || number < 0 || words.some((word) => name.includes(word));
  }

  function marker(mark, budget) {
    if (!budget) return true;
    if (mark.dataset.b !== undefined) return mark.dataset.b === budget;
    return mark.dataset.n === undefined || Number(mark.dataset.n) <= Number(budget.replace(/\s/g, ""));
  }

  function columns(table, budget) {
    const heads = all("thead th", table);
    const has = heads.some((head) => head.dataset.b === budget);
    heads.forEach((head, i) => {
      if (head.dataset.b === undefined) return;
      const visible = !budget || !has || head.dataset.b === budget;
      show(head, visible);
      for (const row of table.tBodies[0].rows) show(row.cells[i], visible);
    });
  }

  function apply() {
    const { suite, model, process, budget, words } = chosen();
    for (const element of all("[data-suite]")) {
      show(element, (!suite || element.dataset.suite === suite)
        && (!model || element.dataset.model === model)
        && (!process || element.dataset.process === process));
    }
    const curves = new Map([...names.keys()].map((number) => [number, wanted(number, words)]));
    for (const element of all("svg [data-c]")) {
      const visible = curves.get(Number(element.dataset.c)) ?? true;
      if (element.dataset.k === "key") element.classList.toggle("faint", !visible);
      else show(element, visible && !(budget && element.dataset.k === "stroke"));
      if (element.dataset.k === "line") element.classList.toggle("faint", Boolean(budget));
    }
    for (const mark of all('svg [data-k="mark"] use')) show(mark, marker(mark, budget));
    for (const row of all("tr[data-c]")) {
      const visible = curves.get(Number(row.dataset.c)) ?? true;
      if (row.dataset.suite === undefined || !row.classList.contains("off")) show(row, visible);
    }
    for (const table of all("table[data-budgets]")) columns(table, budget);
    const count = [...curves.values()].filter(Boolean).length;
    form.querySelector("output").textContent = `${count} of ${curves.size} samplers`;
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => { only.clear(); setTimeout(apply); });
    for (const key of all('svg [data-k="key"]')) {
      key.addEventListener("click", () => {
        const number = Number(key.dataset.c);
        if (!only.delete(number)) only.add(number);
        apply();
      });
    }
    apply();
  }
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset.copy);
      const range = document.createRange();
      range.selectNodeContents(text);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      navigator.clipboard?.writeText(text.textContent).catch(() => {});
    });
  }
})();
