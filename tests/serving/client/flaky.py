"""An HTTP server whose answers a test says, one after another, the last for ever."""

import asyncio
import threading
from collections.abc import Sequence

from aiohttp import web

METADATA = {
    "model_spec": {"name": "m", "signature_name": "", "version": "7"},
    "metadata": {
        "signature_def": {
            "signature_def": {
                "serving_default": {
                    "inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}]}, "name": "x:0"}},
                    "outputs": {"y": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}]}, "name": "y:0"}},
                    "method_name": "tensorflow/serving/predict",
                }
            }
        }
    },
}


class Flaky:
    """Use as a context manager. Metadata are answered always; each of `answers` is a status, "drop" for a connection that is
    closed, or a number of s that the answer takes."""

    def __init__(self, answers: Sequence[int | str | float], content_type: str = "application/json", port: int = 0):
        self.answers, self.content_type, self.port = list(answers), content_type, port
        self.asked: list[dict] = []

    def __enter__(self) -> "Flaky":
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def _run(self, ready: threading.Event) -> None:
        async def start() -> web.AppRunner:
            application = web.Application()
            application.router.add_get("/v1/models/m/metadata", self._metadata)
            application.router.add_route("*", "/{path:.*}", self._answer)
            runner = web.AppRunner(application, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            self.port = site._server.sockets[0].getsockname()[1]
            return runner

        runner = self._loop.run_until_complete(start())
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        for task in (left := asyncio.all_tasks(self._loop)):
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left))
        self._loop.close()

    async def _metadata(self, request: web.Request) -> web.Response:
        return web.json_response(METADATA)

    async def _answer(self, request: web.Request) -> web.Response:
        asked = await request.json() if request.can_read_body else {}
        self.asked.append(asked)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "drop":
            request.transport.abort()
            return web.Response()
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = 200
        if self.content_type != "application/json":
            return web.Response(text="<html>a page</html>", status=answer, content_type=self.content_type)
        if answer == 200:
            return web.json_response({"outputs": [2 * value for value in asked["inputs"]["x"]]})
        return web.json_response({"error": f"refused with {answer}"}, status=answer)
