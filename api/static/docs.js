// @ts-check
/* global SwaggerUIBundle */
window["SwaggerUIBundle"]({ url: "/api/openapi.json", dom_id: "#ui", deepLinking: true });
