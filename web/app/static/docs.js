// Starts Swagger UI on the page /api/docs, light or dark as the system is.
const element = document.getElementById("swagger-ui");
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
SwaggerUIBundle({ domNode: element, url: element.dataset.url });
