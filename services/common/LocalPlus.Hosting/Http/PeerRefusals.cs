using System.Net;
using System.Text.Json;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>What another service refused, told to the caller of this one.</summary>
public static class PeerRefusals
{
    private sealed record Problem(string? Code, string? Detail, IReadOnlyList<FieldError>? Errors);

    /// <summary>
    /// Whether the peer itself says that it knows of no such object (no_such_object). A 404 of anybody else, a sidecar
    /// or a release of the peer that lacks the route, says nothing about the object.
    /// </summary>
    public static async Task<bool> IsNoSuchObjectAsync(HttpResponseMessage answer, CancellationToken cancel) =>
        answer.StatusCode == HttpStatusCode.NotFound
        && (await ReadAsync(answer, cancel))?.Code == CommonFaults.NoSuchObject.Code;

    /// <summary>
    /// The peer's invalid_request as one of this service's: its pointers go below <paramref name="pointer"/>, where
    /// the caller wrote what was passed on. <c>/email</c> at the peer is <c>/recipient/email</c> here. Throws
    /// <see cref="HttpRequestException"/> when it is somebody else who would not take the call.
    /// </summary>
    public static async Task<FaultException> InvalidAsync(
        HttpResponseMessage answer,
        string pointer,
        CancellationToken cancel
    )
    {
        var problem = await ReadAsync(answer, cancel);
        if (problem?.Code != CommonFaults.InvalidRequest.Code && problem?.Code != CommonFaults.UnknownField.Code)
        {
            throw new HttpRequestException(
                $"No answer of the peer's own: {(int)answer.StatusCode}.",
                null,
                answer.StatusCode
            );
        }

        FieldError[] errors =
        [
            .. (problem?.Errors ?? []).Select(error =>
                error with
                {
                    Pointer = pointer + (error.Pointer == "/" ? "" : error.Pointer),
                }
            ),
        ];
        return new FaultException(
            CommonFaults.InvalidRequest,
            "The body has fields that are not valid.",
            errors.Length > 0 ? errors : [new FieldError(pointer, "invalid")]
        );
    }

    /// <summary>Null for what is no problem document.</summary>
    private static async Task<Problem?> ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        try
        {
            return JsonSerializer.Deserialize<Problem>(
                await answer.Content.ReadAsByteArrayAsync(cancel),
                StrictJson.Lenient
            );
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
