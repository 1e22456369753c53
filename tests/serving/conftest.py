"""A server of models as they are pushed, over both protocols, for all that asks one."""

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@pytest.fixture(scope="session")
def pushed_models(tmp_path_factory):
    """Folder of the models of tests.serving.pushed."""
    from tests.serving import pushed

    return pushed.folder(tmp_path_factory)


@pytest.fixture(scope="session")
def served(pushed_models):
    """A server of these, with the label stable, whose ports are `served.ports`."""
    from serving.server import model_config
    from serving.server.server import Server, Settings

    config = model_config.of_models({name: str(pushed_models / name) for name in ("classifier", "autoencoder", "texts")})
    for entry in config.model_config_list.config:
        entry.version_labels["stable"] = 1
    server = Server(Settings(rest_port=0, grpc_port=0, poll=0))
    server.start(config)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """Files of a certificate for 127.0.0.1 and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hubel")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    encoding = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(encoding))
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"
