using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>
/// Healthy means served once: each service answers a merchant through gateway and sidecars, and a card is looked up,
/// for which giftcard, its sidecar and the ledger have to find each other. Asked with the developer's key and card;
/// before those are made, making them is the question.
/// </summary>
internal static class Served
{
    private static readonly string[] Doors =
        ["/v1/accounts", "/v1/customers", "/v1/locations", "/v1/programs", "/v1/notifications", "/v1/reports/daily"];

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>Null when all of it was answered, else what was not.</summary>
    public static async Task<string?> TroubleAsync(Checkout checkout, Ports ports, CancellationToken cancel)
    {
        if (Developer.Remembered(checkout) is not { CardCode: { } code } developer)
        {
            return null;
        }

        var lookup = new StringContent(JsonSerializer.Serialize(new { code }), Encoding.UTF8, "application/json");
        var answers = await Task.WhenAll(
            Doors.Select(path => AskAsync(HttpMethod.Get, path, null)).Append(
                AskAsync(HttpMethod.Post, "/v1/gift_cards/lookup", lookup)));
        return answers.FirstOrDefault(a => a is not null);

        // An answer that refuses is an answer: the key may be of a database that is gone.
        async Task<string?> AskAsync(HttpMethod method, string path, HttpContent? body)
        {
            using var request = new HttpRequestMessage(method, $"{ports.GatewayUrl}{path}") { Content = body };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", developer.ApiKey);
            try
            {
                using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
                return (int)answer.StatusCode < 500 ? null : $"{path} answers {(int)answer.StatusCode}";
            }
            catch (HttpRequestException e)
            {
                return $"{path}: {e.Message}";
            }
            catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
            {
                return $"{path} gives no answer in {Http.Timeout.TotalSeconds:0} s";
            }
        }
    }
}
