"""Is the desk able to work? For the process tree and for a monitor; says nothing that an outsider could use."""

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse


def health(request: HttpRequest) -> JsonResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return JsonResponse({"database": "away"}, status=503)
    return JsonResponse({"database": "ok"})
