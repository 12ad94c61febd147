using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace LocalPlus.Sidecar.Api.Http;

/// <summary>Writes the answers of the HTTP API.</summary>
internal static class HttpAnswers
{
    public const string Json = "application/json";

    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public static Task NoContent(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public static Task Bytes(
        HttpContext http,
        ReadOnlyMemory<byte> body,
        string contentType = Json,
        int status = StatusCodes.Status200OK
    )
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        if (body.IsEmpty)
        {
            return Task.CompletedTask;
        }
        response.BodyWriter.Write(body.Span);
        return response.BodyWriter.FlushAsync(http.RequestAborted).AsTask();
    }

    public static Task Write(HttpContext http, Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            write(json);
        }
        return Bytes(http, buffer.WrittenMemory, Json, status);
    }

    public static Task Error(HttpContext http, ApiException error) =>
        Write(http, json => Write(json, error), error.HttpStatus);

    public static async Task PlainText(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync(text, http.RequestAborted);
    }

    private static void Write(Utf8JsonWriter json, ApiException error)
    {
        json.WriteStartObject();
        json.WriteString("errorCode", error.ErrorCode);
        json.WriteString("message", error.HttpMessage ?? error.Message);
        if (error.HttpDetails is { } details)
        {
            json.WriteStartArray("details");
            Write(json, details);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ErrorDetails details)
    {
        if (details.Violation is { } violation)
        {
            json.WriteStartObject();
            json.WriteString("@type", "type.googleapis.com/google.rpc.BadRequest");
            json.WriteStartArray("field_violations");
            json.WriteStartObject();
            json.WriteString("field", violation.Field);
            json.WriteString("description", violation.Description);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        if (details.Resource is { } resource)
        {
            json.WriteStartObject();
            json.WriteString("@type", "type.googleapis.com/google.rpc.ResourceInfo");
            json.WriteString("resource_type", resource.Type);
            json.WriteString("resource_name", resource.Name);
            json.WriteString("owner", "");
            json.WriteString("description", resource.Description);
            json.WriteEndObject();
        }
        json.WriteStartObject();
        json.WriteString("@type", "type.googleapis.com/google.rpc.ErrorInfo");
        json.WriteString("domain", "dapr.io");
        json.WritePropertyName("metadata");
        if (details.Metadata is null)
        {
            json.WriteNullValue();
        }
        else
        {
            json.WriteStartObject();
            foreach (var (key, value) in details.Metadata)
            {
                json.WriteString(key, value);
            }
            json.WriteEndObject();
        }
        json.WriteString("reason", details.Reason);
        json.WriteEndObject();
    }
}
