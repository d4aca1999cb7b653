/* A figure to play with is a drawing until its button is pressed; only then is its module fetched. */
for (const figure of document.querySelectorAll("[data-explorable]")) {
  const button = figure.querySelector(".play");
  button.addEventListener("click", async () => {
    button.disabled = true;
    const { default: mount } = await import(`./${figure.dataset.explorable}.js`);
    const stage = document.createElement("div");
    stage.className = "stage";
    button.replaceWith(stage);
    mount(stage, figure.dataset);
    stage.querySelector("input, select, button, [tabindex]").focus({ preventScroll: true });
  });
}
