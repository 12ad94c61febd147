using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Hosting;

/// <summary>
/// An answer as bytes: what is sent now and what is stored for a repeat of the request are the same, but for secrets
/// (<see cref="StoredAs"/>).
/// </summary>
/// <param name="ETag">The object's version in quotes, or null.</param>
public sealed record Answer(int Status, byte[] Body, string? Location = null, string? ETag = null) : IResult
{
    /// <summary>Set on answers that come from the store.</summary>
    public bool Replayed { get; init; }

    /// <summary>What is stored, and so readable for whoever reads the table.</summary>
    public byte[] StoredBody { get; private init; } = Body;

    /// <summary>Whether it says more than what is stored of it.</summary>
    public bool HasSecret => !ReferenceEquals(Body, StoredBody);

    public static Answer Ok<T>(T body, long? version = null) =>
        new(StatusCodes.Status200OK, Bytes(body), null, Tag(version));

    public static Answer Created<T>(string location, T body, long? version = null) =>
        new(StatusCodes.Status201Created, Bytes(body), location, Tag(version));

    public static Answer Accepted<T>(string? location, T body, long? version = null) =>
        new(StatusCodes.Status202Accepted, Bytes(body), location, Tag(version));

    /// <summary>
    /// This answer now; <paramref name="stored"/>, the same without its secret, is what is stored in the open. A repeat
    /// gets the secret again while its sealed copy lives (<see cref="SealedAnswers"/>).
    /// </summary>
    public Answer StoredAs<T>(T stored) => this with { StoredBody = Bytes(stored) };

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (
            ETag is not null
            && HttpMethods.IsGet(httpContext.Request.Method)
            && httpContext.Request.Headers.IfNoneMatch == ETag
        )
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            response.Headers.ETag = ETag;
            return Task.CompletedTask;
        }

        if (Status >= StatusCodes.Status400BadRequest)
        {
            Problems.Note(httpContext, Body);
        }

        response.StatusCode = Status;
        response.ContentType = Status >= StatusCodes.Status400BadRequest ? Problems.ContentType : "application/json";
        if (Location is not null)
        {
            response.Headers.Location = Location;
        }

        if (ETag is not null)
        {
            response.Headers.ETag = ETag;
        }

        if (Replayed)
        {
            response.Headers["Idempotency-Replayed"] = "true";
        }

        response.ContentLength = Body.Length;
        // It has happened: no deadline takes its answer away.
        return response.Body.WriteAsync(Body, CancellationToken.None).AsTask();
    }

    private static byte[] Bytes<T>(T body) => JsonSerializer.SerializeToUtf8Bytes(body, StrictJson.Options);

    private static string? Tag(long? version) =>
        version is { } v ? string.Create(CultureInfo.InvariantCulture, $"\"{v}\"") : null;
}
