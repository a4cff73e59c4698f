// The key that is proposed from the label is a name, not a part of an address: words are joined by _.
const slug = window.URLify;
window.URLify = (...words) => slug(...words).replaceAll("-", "_").replace(/^[^a-z]+/, "");
