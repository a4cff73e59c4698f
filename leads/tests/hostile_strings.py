"""Two hundred texts that have broken programs elsewhere. Wherever a text is taken, each of these is refused by name or
found nowhere: it never becomes SQL, a pattern, a path, a format or an address."""

SQL = [
    "'", "''", '"', '""', "`", "\\", "\\'", "';--", "'; --", "' OR 1=1 --", "' OR '1'='1", '" OR ""="', "') OR ('1'='1",
    "1 OR 1=1", "1; SELECT 1", "1)) OR ((1=1", "'; DROP TABLE leads_lead; --", "'); DELETE FROM leads_activity; --",
    "'; SELECT pg_sleep(9); --", "' || pg_sleep(9) || '", "1 AND (SELECT pg_sleep(9)) IS NULL", "' UNION SELECT NULL, version() --",
    "' UNION ALL SELECT usename, passwd FROM pg_shadow --", "'; COPY leads_lead TO '/tmp/x'; --", "'; SET ROLE postgres; --",
    "$1", "$$", "$$; SELECT 1; $$", "$tag$x$tag$", "E'\\x27'", "U&'\\0027'", "/*", "*/", "/**/", "--", "#", ";", "(SELECT 1)",
    "l.email", "leads_lead.email", 'email" FROM leads_lead --', "job_title) OR (1=1", "lower(email)", "NULL", "DEFAULT", "true",
    "admin'--", "x' AND email IS NOT NULL --", "' AND extractvalue(1, 1) --", "%27%20OR%201=1", "&#39; OR 1=1", "0x27 OR 1=1", "CHR(39)",
]  # fmt: skip
PATTERNS = [
    "%", "%%", "_", "%_%", "\\%", "%\\", "[a-z]", ".*", "^(a+)+$", "(a|a)*b", "*", "?", "**/*", "a{1000000}", "(?i)x", "(?P<n>", "[", "(",
    "\\1", "$", "^", "|", "&", "!", "<->", ":*", "a & !b", "a:*", "'a' <-> 'b'",
]  # fmt: skip
FORMATS = [
    "%s", "%d", "%n%n%n", "%(at)s", "%(x)s", "%c", "%x%x%x%x", "{}", "{0}", "{x}", "{0.__class__}", "{asset}", "{values}", "{{7*7}}", "{{ settings.SECRET_KEY }}",
    "{% debug %}", "{% include '/etc/passwd' %}", "${7*7}", "${jndi:ldap://x}", "#{7*7}", "<%= 7*7 %>", "{{ lead | map: 'x' }}", "{%", "}}", "$(id)", "`id`", "| id", "; id", "&& id",
]  # fmt: skip
PATHS = [
    "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "file:///etc/passwd", "....//", "%2e%2e%2f", "/dev/null", "CON", "C:\\", "\\\\host\\share",
    "a/b/c", "//evil.test", "http://169.254.169.254/", "gopher://x", "javascript:1", "data:text/html,x", "@evil.test", "user:pass@host", "mailto:a@b.c",
]  # fmt: skip
MARKUP = [
    "<script>alert(1)</script>", "<img src=x onerror=1>", "\"><svg onload=1>", "</textarea>", "<!--", "]]>", "<![CDATA[x]]>", "<!DOCTYPE x [<!ENTITY y 'z'>]>", "&amp;", "&#0;", "\\u003cscript>", "=1+1", "+1", "-1+1", "@SUM(1)", "=cmd|' /C x'!A0",
]  # fmt: skip
JSON_PATHS = [
    "{}", "[]", "[[]]", "{\"$ne\": null}", "{\"$gt\": \"\"}", "$.a", "$[*]", "$..*", "a__b", "a__gt", "email__startswith", "company__domain__in", "password", "user__password", "custom__x", "__class__", "constructor", "__proto__", "a.b", "a[0]", "null", "\"", "{\"is\": \"lead_field\"}", "{\"all\": [",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "-1", "00", "1.5", "1e400", "-1e400", "1e-400", "NaN", "Infinity", "-Infinity", "inf", "0x10", "1_000", "1,000", "٣", "½", "²", "9" * 19, "9" * 40, "9" * 5000, "2147483648", "9223372036854775808", "-9223372036854775809", "1" + "0" * 309, "0000-00-00", "2026-02-30", "10000-01-01", "2026-01-01T25:00:00Z", "infinity", "epoch", "now", "-4713-01-01",
]  # fmt: skip
LETTERS = [
    "\x00", "a\x00b", "\ud800", "\udfff", "a\udc80b", "\u202e", "\u202eevil\u202c", "\u200b", "\ufeff", "\u2028", "\x1b[31m", "\x07", "\x7f", "\x85", "\r\n", "a\r\nSet-Cookie: x", "\t", "\n", " ", "\u00a0", "İ", "ı", "ß", "ﬁ", "𝕊", "💥", "👩‍👩‍👧‍👦", "ﷺ", "Z͓͑ͫa", "مرحبا", "שלום", "田中さん", "Ω≈ç", "\ufffe", "\U0010ffff", "é", "é", "x" * 300, "x" * 5000, "'" * 300, "%" * 300, "\\" * 300, "💥" * 300, " " * 300, "(" * 300, "[" * 300,
]  # fmt: skip
STRINGS = list(dict.fromkeys(SQL + PATTERNS + FORMATS + PATHS + MARKUP + JSON_PATHS + NUMBERS + LETTERS))
assert len(STRINGS) >= 200
