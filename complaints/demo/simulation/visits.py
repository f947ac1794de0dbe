"""The customer's browser without a socket: the product's own pages, forms, cookies and CSRF checks."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import Request

from django.test import Client

from complaints.demo.browser import Browser, PageProblem


class Visit(Browser):
    def __init__(self, site: str) -> None:
        self.site = site
        self.client = Client(enforce_csrf_checks=True, HTTP_HOST=urlsplit(site).netloc)

    def fetch(self, request: Request) -> str:
        path = urlsplit(request.full_url).path
        if request.data is None:
            response = self.client.get(path)
        else:
            response = self.client.post(
                path, request.data, content_type="application/x-www-form-urlencoded", headers=dict(request.headers)
            )
        if response.status_code >= 400:
            is_final = response.status_code < 500 and response.status_code != 409
            raise PageProblem(f"the page answers {response.status_code}", is_final=is_final)
        if response.status_code >= 300:
            return self.fetch(Request(f"{self.site}{urlsplit(response.headers['Location']).path}"))  # noqa: S310
        return response.content.decode()
