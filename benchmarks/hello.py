"""The yardstick: FastAPI's hello, on uvicorn exactly as the service runs on it."""

import sys

from fastapi import FastAPI

from app.commands.listening import listen

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


if __name__ == "__main__":
    listen(app, "127.0.0.1", int(sys.argv[1]))
