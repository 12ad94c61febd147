using System.Net;
using System.Net.Http.Json;
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
    public static async Task<bool> IsNoSuchObjectAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        if (answer.StatusCode != HttpStatusCode.NotFound)
        {
            return false;
        }

        var body = await answer.Content.ReadAsByteArrayAsync(cancel);
        try
        {
            return JsonSerializer.Deserialize<Problem>(body, StrictJson.Lenient)?.Code
                == CommonFaults.NoSuchObject.Code;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>
    /// The peer's invalid_request as one of this service's: its pointers go below <paramref name="pointer"/>, where
    /// the caller wrote what was passed on. <c>/email</c> at the peer is <c>/recipient/email</c> here.
    /// </summary>
    public static async Task<FaultException> InvalidAsync(
        HttpResponseMessage answer,
        string pointer,
        CancellationToken cancel
    )
    {
        FieldError[] errors = [];
        try
        {
            var problem = await answer.Content.ReadFromJsonAsync<Problem>(StrictJson.Lenient, cancel);
            errors =
            [
                .. (problem?.Errors ?? []).Select(error =>
                    error with
                    {
                        Pointer = pointer + (error.Pointer == "/" ? "" : error.Pointer),
                    }
                ),
            ];
        }
        catch (JsonException)
        {
            errors = [];
        }

        return new FaultException(
            CommonFaults.InvalidRequest,
            "The body has fields that are not valid.",
            errors.Length > 0 ? errors : [new FieldError(pointer, "invalid")]
        );
    }
}
