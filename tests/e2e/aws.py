# SPDX-License-Identifier: Apache-2.0
"""A small AWS client for the tests: Signature Version 4 with hashlib and hmac, S3 and DynamoDB. It
is the second opinion on the C++ signing, so it shares nothing with it. Standard library only."""
import base64
import dataclasses
import datetime
import hashlib
import hmac
import html
import http.client
import json
import re
import time
import urllib.parse

REGION = "eu-central-1"


@dataclasses.dataclass
class Credentials:
    access_key: str
    secret_key: str
    session_token: str = ""


def encode(text):
    """As S3 signs: all but the unreserved is escaped, '/' stays."""
    return urllib.parse.quote(text, safe="-_.~/")


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query):
    pairs = sorted((urllib.parse.quote(name, safe="-_.~"), urllib.parse.quote(value, safe="-_.~"))
                   for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def sign(credentials, call, now=None):
    """The headers of a signed call: {method, host, path (encoded), query, headers, body, service,
    region}."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(call.get("body") or b"").hexdigest()
    headers = {name.lower(): str(value).strip() for name, value in call["headers"].items()}
    headers.update({"host": call["host"], "x-amz-date": stamp, "x-amz-content-sha256": digest})
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = sorted(headers)
    request = "\n".join([call["method"], call["path"], canonical_query(call["query"]),
                         *(f"{name}:{headers[name]}" for name in names), "", ";".join(names),
                         digest])
    scope = f"{stamp[:8]}/{call['region']}/{call['service']}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + credentials.secret_key).encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={_hmac(key, text).hex()}")
    return headers


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def code(self):
        """S3's error code. Ceph leaves the message empty."""
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found.group(1).decode() if found else ""


class AwsError(AssertionError):
    pass


def exchange(port, method, target, headers, body):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


class S3:
    """One S3 service on loopback, its buckets in the path."""

    def __init__(self, port, credentials, region=REGION):
        self.port, self.credentials, self.region = port, credentials, region

    def ask(self, method, path, query=(), headers=None, body=b""):
        """Signed; `path` is decoded and begins with the bucket: "/bucket/a b.jpg"."""
        call = {"method": method, "host": f"127.0.0.1:{self.port}", "path": encode(path),
                "query": list(query), "headers": headers or {}, "body": body, "service": "s3",
                "region": self.region}
        signed = sign(self.credentials, call)
        if body or method in ("PUT", "POST"):
            signed["content-length"] = str(len(body))
        asked = canonical_query(query)
        return exchange(self.port, method, call["path"] + ("?" + asked if asked else ""), signed,
                        body)

    def expect(self, *arguments, **named):
        answer = self.ask(*arguments, **named)
        if answer.status >= 300:
            raise AwsError(f"S3 answers {answer.status} {answer.code} to {arguments[:2]}: "
                           f"{answer.body[:300]}")
        return answer

    def make_bucket(self, bucket):
        self.expect("PUT", f"/{bucket}")

    def put(self, bucket, key, body, headers=None):
        return self.expect("PUT", f"/{bucket}/{key}", headers=headers, body=body)

    def get(self, bucket, key):
        return self.ask("GET", f"/{bucket}/{key}")

    def head(self, bucket, key):
        return self.ask("HEAD", f"/{bucket}/{key}")

    def delete(self, bucket, key):
        return self.expect("DELETE", f"/{bucket}/{key}")

    def list(self, bucket, prefix=""):
        """All keys, as they are."""
        keys, more = [], []
        while True:
            query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix), *more]
            text = self.expect("GET", f"/{bucket}", query).body.decode()
            keys += [urllib.parse.unquote(html.unescape(key))
                     for key in re.findall(r"<Key>([^<]*)</Key>", text)]
            token = re.search(r"<NextContinuationToken>([^<]*)<", text)
            if not token:
                return keys
            more = [("continuation-token", html.unescape(token.group(1)))]

    def empty(self, bucket):
        for key in self.list(bucket):
            self.delete(bucket, key)

    def allow_reading(self, bucket):
        """What CloudFront's origin access control has: GetObject and no ListBucket, so that an
        absent key is 403. Here for everybody, as nginx does not sign."""
        policy = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{bucket}/*"]}]}
        self.expect("PUT", f"/{bucket}", [("policy", "")], body=json.dumps(policy).encode())

    def expire_after(self, bucket, days, prefix=""):
        rule = ("<LifecycleConfiguration><Rule><ID>expire</ID><Status>Enabled</Status>"
                f"<Filter><Prefix>{html.escape(prefix)}</Prefix></Filter>"
                f"<Expiration><Days>{days}</Days></Expiration></Rule></LifecycleConfiguration>")
        digest = base64.b64encode(hashlib.md5(rule.encode()).digest()).decode()
        self.expect("PUT", f"/{bucket}", [("lifecycle", "")], {"content-md5": digest},
                    rule.encode())

    def form(self, service, **fields):
        """A call of the query protocol: IAM's or STS's, which the S3 service plays as well."""
        body = urllib.parse.urlencode(fields).encode()
        call = {"method": "POST", "host": f"127.0.0.1:{self.port}", "path": "/", "query": [],
                "headers": {"content-type": "application/x-www-form-urlencoded"}, "body": body,
                "service": service, "region": self.region}
        signed = sign(self.credentials, call)
        signed["content-length"] = str(len(body))
        answer = exchange(self.port, "POST", "/", signed, body)
        if answer.status != 200:
            raise AwsError(f"{fields['Action']}: {answer.status} {answer.body[:300]}")
        return answer.body.decode()

    def session(self, user):
        """Temporary credentials of the service's own, with a session token. A user may have them
        only when a policy says so."""
        allowed = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["sts:GetSessionToken", "s3:*"], "Resource": "*"}]}
        self.form("iam", Action="PutUserPolicy", UserName=user, PolicyName="session",
                  PolicyDocument=json.dumps(allowed))
        text = self.form("sts", Action="GetSessionToken", DurationSeconds="900")
        found = dict(re.findall(r"<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]*)<", text))
        return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


class DynamoDb:
    def __init__(self, port, credentials, region=REGION):
        self.port, self.credentials, self.region = port, credentials, region

    def ask(self, operation, **arguments):
        body = json.dumps(arguments).encode()
        call = {"method": "POST", "host": f"127.0.0.1:{self.port}", "path": "/", "query": [],
                "headers": {"x-amz-target": "DynamoDB_20120810." + operation,
                            "content-type": "application/x-amz-json-1.0"},
                "body": body, "service": "dynamodb", "region": self.region}
        signed = sign(self.credentials, call)
        signed["content-length"] = str(len(body))
        answer = exchange(self.port, "POST", "/", signed, body)
        if answer.status != 200:
            raise AwsError(f"DynamoDB answers {answer.status} to {operation}: {answer.body[:300]}")
        return json.loads(answer.body)

    def make_policy_table(self, table):
        """pk: the site; sk: kind#name."""
        self.ask("CreateTable", TableName=table, BillingMode="PAY_PER_REQUEST",
                 AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"}
                                       for name in ("pk", "sk")],
                 KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"},
                            {"AttributeName": "sk", "KeyType": "RANGE"}])
        while self.ask("DescribeTable", TableName=table)["Table"]["TableStatus"] != "ACTIVE":
            time.sleep(0.02)

    def scan(self, table):
        """All items, {name: text}; numbers and texts alike."""
        return [{name: next(iter(value.values())) for name, value in item.items()}
                for item in self.ask("Scan", TableName=table)["Items"]]
