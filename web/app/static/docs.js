// Starts Swagger UI on the page /api/docs.
const element = document.getElementById("swagger-ui");
SwaggerUIBundle({ domNode: element, url: element.dataset.url });
