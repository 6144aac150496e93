// The page of code sheets: a button that opens the print dialog.

import "./shell.js";

const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
