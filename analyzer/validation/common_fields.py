"""Fields that several kinds share, and since when each API version is served.

Source: istio/api kubernetes/customresourcedefinitions.gen.yaml.
"""

from analyzer.validation.shape import Leaf, MapOf, Words

NETWORKING_VERSIONS = {"v1": (1, 22), "v1beta1": (1, 5), "v1alpha3": None}
SECURITY_VERSIONS = {"v1": None, "v1beta1": None}
TELEMETRY_VERSIONS = {"v1": (1, 22), "v1alpha1": None}

TEXT, NUMBER, DECIMAL, BOOL, ANY = Leaf.TEXT, Leaf.NUMBER, Leaf.DECIMAL, Leaf.BOOL, Leaf.ANY
TEXTS = [TEXT]
LABELS = MapOf(TEXT)
SELECTOR = {"labels": LABELS}
MATCH_LABELS = {"matchLabels": LABELS}
TARGET_REF = {"group": TEXT, "kind": TEXT, "name": TEXT, "namespace": TEXT}
PORT = {"number": NUMBER, "name": TEXT, "protocol": TEXT, "targetPort": NUMBER}
DESTINATION = {"host": TEXT, "subset": TEXT, "port": {"number": NUMBER}}
WORKLOAD_ENTRY = {
    "address": TEXT,
    "ports": MapOf(NUMBER),
    "labels": LABELS,
    "network": TEXT,
    "locality": TEXT,
    "weight": NUMBER,
    "serviceAccount": TEXT,
}
SERVER_TLS = {
    "httpsRedirect": BOOL,
    "mode": Words(("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL")),
    "serverCertificate": TEXT,
    "privateKey": TEXT,
    "caCertificates": TEXT,
    "caCrl": TEXT,
    "credentialName": TEXT,
    "credentialNames": TEXTS,
    "caCertCredentialName": TEXT,
    "tlsCertificates": ANY,
    "subjectAltNames": TEXTS,
    "verifyCertificateSpki": TEXTS,
    "verifyCertificateHash": TEXTS,
    "minProtocolVersion": Words(("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")),
    "maxProtocolVersion": Words(("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")),
    "cipherSuites": TEXTS,
}
CLIENT_TLS = {
    "mode": Words(("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL")),
    "clientCertificate": TEXT,
    "privateKey": TEXT,
    "caCertificates": TEXT,
    "caCrl": TEXT,
    "credentialName": TEXT,
    "subjectAltNames": TEXTS,
    "sni": TEXT,
    "insecureSkipVerify": BOOL,
}
CONNECTION_POOL = {"tcp": ANY, "http": ANY}
