using System.Diagnostics;
using System.Text.Json;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace LocalPlus.Hosting;

/// <summary>RFC 9457 problem documents with LocalPlus's members: code, request_id, retryable, errors.</summary>
public static class Problems
{
    public const string ContentType = "application/problem+json";
    public const string TypeBase = "https://docs.localplus.io/problems/";

    /// <summary>The member that says after how many seconds it may be otherwise; else that is one.</summary>
    internal const string RetryAfterSeconds = "retry_after_seconds";

    /// <summary>A result that answers with the problem of <paramref name="fault"/>.</summary>
    public static IResult Result(Fault fault, string detail, params FieldError[] errors) =>
        new ProblemResult(new FaultException(fault, detail, errors));

    /// <summary>The id under which the logs and traces of this request are found.</summary>
    public static string RequestId(HttpContext http) => Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier;

    /// <summary>The code of the problem that was answered, if one was.</summary>
    internal static string? CodeOf(HttpContext http) => http.Items[typeof(Problems)] as string;

    /// <summary>Notes the code of the problem that is answered, from what was stored of it.</summary>
    internal static void Note(HttpContext http, byte[] problem)
    {
        using var json = JsonDocument.Parse(problem);
        http.Items[typeof(Problems)] = json.RootElement.TryGetProperty("code", out var code) ? code.GetString() : null;
    }

    internal static Task WriteAsync(HttpContext http, FaultException fault)
    {
        http.Items[typeof(Problems)] = fault.Fault.Code;
        http.Response.StatusCode = fault.Fault.Status;
        http.Response.ContentType = ContentType;
        if (fault.Fault.Retryable)
        {
            http.Response.Headers.RetryAfter = $"{fault.Extensions?.GetValueOrDefault(RetryAfterSeconds) ?? 1}";
        }

        // Whatever ended the request does not end what is said of it; a caller that has gone is not written to.
        return http.Response.Body.WriteAsync(Serialize(http, fault), CancellationToken.None).AsTask();
    }

    /// <summary>Gives a body to answers that routing, authentication or Kestrel left empty.</summary>
    internal static Task WriteStatusAsync(HttpContext http)
    {
        if (http.Response.ContentType?.StartsWith("application/grpc", StringComparison.Ordinal) is true)
        {
            return Task.CompletedTask;
        }

        var status = http.Response.StatusCode;
        var fault = status switch
        {
            401 => CommonFaults.Unauthenticated,
            403 => CommonFaults.ScopeMissing,
            404 => CommonFaults.NotFound,
            405 => CommonFaults.MethodNotAllowed,
            413 => CommonFaults.BodyTooLarge,
            415 => CommonFaults.UnsupportedMediaType,
            429 => CommonFaults.QuotaExceeded,
            503 => CommonFaults.Busy,
            >= 500 => CommonFaults.InternalError with { Status = status },
            _ => CommonFaults.InvalidRequest with { Status = status },
        };
        return WriteAsync(http, new FaultException(fault, ReasonPhrases.GetReasonPhrase(status)));
    }

    /// <summary>
    /// A problem as an answer that can be stored and replayed, also by work that no request waits for.
    /// </summary>
    public static Answer Answer(FaultException fault, string instance) =>
        new(
            fault.Fault.Status,
            Serialize(
                fault,
                instance,
                Activity.Current?.TraceId.ToHexString() ?? ActivityTraceId.CreateRandom().ToHexString()
            )
        );

    internal static byte[] Serialize(HttpContext http, FaultException fault) =>
        Serialize(fault, http.Request.Path.Value, RequestId(http));

    internal static byte[] Serialize(FaultException fault, string? instance, string requestId)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", TypeBase + fault.Fault.Code);
            json.WriteString("title", fault.Fault.Title);
            json.WriteNumber("status", fault.Fault.Status);
            json.WriteString("detail", fault.Detail);
            json.WriteString("instance", instance);
            json.WriteString("code", fault.Fault.Code);
            json.WriteString("request_id", requestId);
            json.WriteBoolean("retryable", fault.Fault.Retryable);
            if (fault.Errors.Count > 0)
            {
                json.WritePropertyName("errors");
                JsonSerializer.Serialize(json, fault.Errors, StrictJson.Options);
            }

            foreach (var (name, value) in fault.Extensions ?? new Dictionary<string, object?>())
            {
                json.WritePropertyName(name);
                JsonSerializer.Serialize(json, value, StrictJson.Options);
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private sealed class ProblemResult(FaultException fault) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => fault.Fault.Status;

        public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext, fault);
    }
}
