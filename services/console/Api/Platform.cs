using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using LocalPlus.Console.Session;
using Microsoft.AspNetCore.Authentication;

namespace LocalPlus.Console.Api;

/// <summary>
/// The platform's API, asked in the name of who is signed in: pages see and do what that person may, and nothing of
/// the console's own.
/// </summary>
internal sealed class Platform(HttpClient http, IHttpContextAccessor context, TimeProvider time)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>
    /// Throws <see cref="ApiRefusalException"/> for a refusal, and for a service that does not answer.
    /// </summary>
    public Task<T> GetAsync<T>(string path) => SendAsync<T>(HttpMethod.Get, path, null);

    /// <summary>
    /// As <see cref="GetAsync"/>, with null and the refusal where there is one: the rest of a page is shown.
    /// </summary>
    public async Task<(T? Value, ApiRefusalException? Refusal)> TryGetAsync<T>(string path)
        where T : class
    {
        try
        {
            return (await GetAsync<T>(path), null);
        }
        catch (ApiRefusalException refusal)
        {
            return (null, refusal);
        }
    }

    public Task<JsonElement> PostAsync(string path, object body) => PostAsync<JsonElement>(path, body);

    /// <param name="once">The name of this very act: sent again, it is not done again.</param>
    public Task<T> PostAsync<T>(string path, object body, Once? once = null) =>
        SendAsync<T>(HttpMethod.Post, path, body, once);

    /// <param name="version">The one that is changed: another in its place is a refusal.</param>
    public Task<T> PutAsync<T>(string path, object body, long version) =>
        SendAsync<T>(HttpMethod.Put, path, body, version: version);

    public Task DeleteAsync(string path) => SendAsync<Nothing>(HttpMethod.Delete, path, null);

    private sealed record Nothing;

    private async Task<T> SendAsync<T>(
        HttpMethod method,
        string path,
        object? body,
        Once? once = null,
        long? version = null
    )
    {
        var caller = context.HttpContext!;
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            await caller.GetTokenAsync(Sessions.Cookie, TokenRefresh.AccessToken)
        );
        if (body is not null)
        {
            request.Content = JsonContent.Create(body, options: Json);
            request.Headers.Add("Idempotency-Key", (once ?? Once.New(time)).Key);
        }

        if (version is { } seen)
        {
            request.Headers.TryAddWithoutValidation("If-Match", $"\"{seen}\"");
        }

        try
        {
            using var answer = await http.SendAsync(request, caller.RequestAborted);
            return !answer.IsSuccessStatusCode ? throw await ApiRefusalException.OfAsync(answer, caller.RequestAborted)
                : answer.StatusCode == HttpStatusCode.NoContent ? default!
                : (await answer.Content.ReadFromJsonAsync<T>(Json, caller.RequestAborted))!;
        }
        catch (Exception failure)
            when (failure is HttpRequestException or TaskCanceledException
                && !caller.RequestAborted.IsCancellationRequested
            )
        {
            throw new ApiRefusalException(
                StatusCodes.Status503ServiceUnavailable,
                "busy",
                "The platform does not answer.",
                null
            );
        }
    }
}

/// <summary>What the platform said instead of doing it.</summary>
public sealed class ApiRefusalException(int status, string code, string message, string? requestId) : Exception(message)
{
    public int Status => status;

    public string Code => code;

    public string? RequestId => requestId;

    public static async Task<ApiRefusalException> OfAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        var status = (int)answer.StatusCode;
        try
        {
            var problem = await answer.Content.ReadFromJsonAsync<Problem>(Platform.Json, cancel);
            return new(
                status,
                problem?.Code ?? $"{status}",
                problem?.Detail ?? problem?.Title ?? "",
                problem?.RequestId
            );
        }
        catch (JsonException)
        {
            return new(status, $"{status}", $"The platform answered {status}.", null);
        }
    }

    private sealed record Problem(string? Code, string? Title, string? Detail, string? RequestId);
}

internal static class PlatformFeature
{
    private const string Variable = "LP_API_URL";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    public static void AddPlatform(this WebApplicationBuilder builder)
    {
        var address =
            builder.Configuration[Variable]
            ?? throw new InvalidOperationException($"{Variable} is not set to the gateway's address.");
        builder.Services.AddHttpClient<Platform>(http =>
        {
            http.BaseAddress = new Uri(address);
            http.Timeout = Patience;
        });
    }
}
