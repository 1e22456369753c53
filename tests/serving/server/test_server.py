"""Both ends of one server, by TLS, and its batching."""

import datetime
import http.client
import ipaddress
import ssl

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from configs.errors import HubelError
from serving.server import model_config
from serving.server.access import ApiKey
from serving.server.server import Server, Settings, settings_of


@pytest.fixture(scope="module")
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


def test_both_ends_by_tls_with_a_key_and_batching(models, pair, tmp_path):
    (tmp_path / "batching").write_text("max_batch_size { value: 8 }")
    certificate, key = map(str, pair)
    told = {"rest_port": 0, "grpc_port": 0, "certificate": certificate, "key": key, "batching": str(tmp_path / "batching")}
    server = Server(settings_of(told), ApiKey("s3cret"))
    server.start(model_config.of_models({"m": str(models / "half_plus_two")}))
    context = ssl.create_default_context(cafile=certificate)
    for headers, status in (({}, 401), ({"Authorization": "Bearer s3cret"}, 200)):
        connection = http.client.HTTPSConnection("127.0.0.1", server.ports["rest"], timeout=20, context=context)
        connection.request("POST", "/v1/models/m:predict", '{"instances": [1.0]}', headers)
        answer = connection.getresponse()
        assert answer.status == status
        answer.read()
        connection.close()
    trusted = grpc.ssl_channel_credentials(pair[0].read_bytes())
    with grpc.secure_channel(f"127.0.0.1:{server.ports['grpc']}", trusted, [("grpc.enable_http_proxy", 0)]) as channel:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "m"
        response = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, metadata=[("x-api-key", "s3cret")])
    assert [entry.version for entry in response.model_version_status] == [123]
    assert ":tensorflow:serving:batching_session:wrapped_run_count{} 1" in server.metrics.page()
    assert server.manager.ready
    server.stop()
    assert not server.manager.ready
    server.stop()  # which is done


def test_files_that_are_no_certificate(pair, tmp_path):
    (tmp_path / "none.pem").write_text("nothing")
    for certificate, key in ((tmp_path / "none.pem", pair[1]), (pair[0], tmp_path / "none.pem"), (pair[0], tmp_path / "missing")):
        with pytest.raises(HubelError, match="TLS cannot be served with"):
            Server(Settings(rest_port=0, grpc_port=0, certificate=certificate, key=key))
