"""Kubernetes' function libraries, with the examples of its documentation."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.cel.contract import AUTHORIZER, DYN, CompileError, EvaluationError, compile_expression
from skerry.engine.cel.functions.authorizer import Authorizer, Decision, Question


def evaluate(source: str) -> Any:
    return compile_expression(source, {"self": DYN}).evaluate({"self": {"names": ["b", "a"], "x": 3}})


@pytest.mark.parametrize(
    "source",
    [
        # lists
        "[1, 2].isSorted() && !self.names.isSorted()",
        "[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0 && [duration('1h'), duration('1m')].sum() == duration('61m')",
        "self.names.min() == 'a' && [1, 9, 3].max() == 9",
        "[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && self.names.indexOf('z') == -1",
        # strings
        "'tacocat'.indexOf('c') == 2 && 'tacocat'.lastIndexOf('a') == 5 && 'TacoCat'.lowerAscii() == 'tacocat'",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
        "['x', 'y'].join('-') == 'x-y'",
        "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && ' x '.trim() == 'x'",
        "'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'abc'.charAt(1) == 'b'",
        "'%s: %d of %.1f %x'.format(['n', 1, 2.5, 255]) == 'n: 1 of 2.5 ff'",
        "'%s %s'.format([['b', 'a'], {'k': true}]) == '[b, a] {k: true}'",
        'strings.quote(\'a\\n"b"\') == \'"a\\\\n\\\\"b\\\\""\'',
        # regular expressions
        "'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''",
        "'123 abc 456'.findAll('[0-9]+') == ['123', '456'] && '1 2 3'.findAll('[0-9]', 1) == ['1']",
        "'foo-bar'.matches('^[a-z]+-[a-z]+$')",
        # sets
        "sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])",
        # urls
        "url('https://example.com:80/path?k1=v1&k2=v2').getHostname() == 'example.com'",
        "url('https://example.com:80/').getHost() == 'example.com:80' && url('https://[::1]:80/').getPort() == '80'",
        "url('https://[::1]:80/').getHostname() == '::1' && url('/path').getScheme() == ''",
        "url('https://x/?k1=v1&k1=v2').getQuery()['k1'] == ['v1', 'v2']",
        "url('https://x/a path'.replace(' ', '%20')).getEscapedPath() == '/a%20path'",
        "isURL('https://example.com:80/') && !isURL('../relative') && !isURL('http://[bad')",
        # addresses
        "isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4')",
        "ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('::1').family() == 6",
        "ip('224.0.0.1').isLinkLocalMulticast() && ip('fe80::1').isLinkLocalUnicast()",
        "ip('10.0.0.1').isGlobalUnicast() && !ip('127.0.0.1').isGlobalUnicast()",
        "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && ip('::1') == ip('0:0::1')",
        "cidr('192.168.0.0/24').containsIP(ip('192.168.0.1')) && !cidr('192.168.0.0/24').containsIP('192.168.1.1')",
        "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')",
        "!cidr('192.168.1.0/24').containsCIDR(cidr('192.168.0.0/16'))",
        "cidr('192.168.1.5/24').ip() == ip('192.168.1.5') && cidr('192.168.1.5/24').masked() == cidr('192.168.1.0/24')",
        "cidr('192.168.0.0/24').prefixLength() == 24 && isCIDR('::1/128') && !isCIDR('1.2.3.4/33')",
        "string(ip('10.0.0.1')) == '10.0.0.1' && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
        # quantities
        "quantity('500Mi').isLessThan(quantity('1Gi')) && quantity('1.5Gi').compareTo(quantity('1536Mi')) == 0",
        "quantity('1k').add(5).asInteger() == 1005 && quantity('50k').sub(quantity('20k')) == quantity('30k')",
        "isQuantity('1.3Gi') && !isQuantity('1.3x') && !quantity('100m').isInteger() && quantity('-1').sign() == -1",
        "quantity('200m').asApproximateFloat() == 0.2",
        # formats
        "!format.dns1123Label().validate('my-name').hasValue()",
        "format.dns1123Label().validate('My').value()[0].startsWith('a lowercase RFC 1123 label')",
        "format.named('uuid').hasValue() && !format.named('nope').hasValue()",
        "format.dns1123LabelPrefix().validate('abc-') == optional.none()",
        "format.datetime().validate('2024-01-01').hasValue() && !format.date().validate('2024-01-01').hasValue()",
        # versions
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
        "semver('v01.2', true) == semver('1.2.0') && !isSemver('v1.2') && semver('1.2.3').minor() == 2",
        "semver('1.0.0-rc.10').compareTo(semver('1.0.0-rc.9')) == 1",
        # times
        "timestamp('2024-02-29T12:30:00Z') + duration('24h') == timestamp('2024-03-01T12:30:00Z')",
        "timestamp('2024-02-29T12:30:00Z').getMonth() == 1 && timestamp('2024-02-29T23:30:00Z').getDate('+01:00') == 1",
        "timestamp('2024-02-29T12:30:00Z') - timestamp('2024-02-29T12:00:00Z') == duration('30m')",
        "duration('90m').getHours() == 1 && string(duration('90m')) == '5400s' && duration('1.5s') > duration('1s')",
        "string(timestamp('2024-02-29T12:30:00.5+01:00')) == '2024-02-29T11:30:00.5Z'",
        "int(timestamp('1970-01-01T00:01:00Z')) == 60",
    ],
)
def test_libraries(source: str) -> None:
    assert evaluate(source) is True


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("quantity('x')", "quantities must match the regular expression"),
        ("quantity('1500m').asInteger()", "cannot convert value to integer"),
        ("ip('fe80::1%eth0')", "IP address with zone value is not allowed"),
        ("cidr('10.0.0.0')", "network address parse error"),
        ("url('x')", "URL parse error during conversion from string"),
        ("semver('1.2')", "invalid semantic version"),
        ("'abc'.substring(2, 1)", "invalid substring range"),
        ("'%d'.format(['x'])", "decimal clause can only be used on integers"),
        ("[1].filter(x, false).min()", "min called on empty list"),
        ("'x'.find(string(self.x) + '(')", "error parsing regexp"),
    ],
)
def test_errors_of_libraries(source: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(source)


def test_what_kubernetes_does_not_enable_is_unknown() -> None:
    for source in (
        "'a'.reverse()",
        "[3, 1].sort()",
        "base64.encode(b'x')",
        "cel.bind(a, 1, a)",
        "quantity('1') < quantity('2')",
    ):
        with pytest.raises(CompileError):
            compile_expression(source, {})


def test_the_authorizer_is_asked_what_the_expression_says() -> None:
    asked: list[Question] = []

    def decide(question: Question) -> Decision:
        asked.append(question)
        return Decision(question.verb == "get", "because")

    program = compile_expression(
        "authorizer.group('apps').resource('deployments').namespace('x').name('y').check('get').allowed()"
        " && authorizer.serviceAccount('a', 'b').path('/healthz').check('post').reason() == 'because'",
        {"authorizer": AUTHORIZER},
    )
    assert program.evaluate({"authorizer": Authorizer(decide)}) is True
    assert asked[0] == Question(verb="get", group="apps", resource="deployments", namespace="x", name="y")
    assert asked[1] == Question(verb="post", path="/healthz", service_account=("a", "b"))
