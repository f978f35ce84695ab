// The API's reference, drawn by Swagger UI from /openapi.json.

const reference = document.getElementById("reference");

const dark = matchMedia("(prefers-color-scheme: dark)");
const setTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", setTheme);
setTheme();

/** Swagger UI puts a link into the button that opens an operation; one cannot be inside the other. */
const plainNames = ({ React }) => ({
  wrapComponents: { DeepLink: () => ({ text }) => React.createElement("span", null, text) },
});

/** Names the inputs of parameters, and lets the keyboard scroll examples. */
function complete() {
  for (const input of reference.querySelectorAll("tr[data-param-name] :is(input, select, textarea):not([aria-label])")) {
    input.setAttribute("aria-label", input.closest("tr").dataset.paramName);
  }
  // The page has a main part already.
  reference.querySelector("main:not([role])")?.setAttribute("role", "group");
  for (const example of reference.querySelectorAll("pre:not([tabindex])")) example.tabIndex = 0;
}
new MutationObserver(complete).observe(reference, { childList: true, subtree: true });

window.SwaggerUIBundle({
  url: "/openapi.json",
  domNode: reference,
  plugins: [plainNames],
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 3,
  docExpansion: "list",
  supportedSubmitMethods: ["get", "head"],
  syntaxHighlight: { theme: "arta" },
  // Otherwise the description is sent to a server of Swagger's.
  validatorUrl: null,
});
