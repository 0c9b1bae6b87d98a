"""HTTP in general: security headers, proxies, origins, languages, uvicorn's protocol."""
