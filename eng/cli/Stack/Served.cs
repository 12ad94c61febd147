using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>
/// Healthy means served once: each service answers a merchant through gateway and sidecars, a card is looked up and one
/// is sold, for which giftcard, its sidecar and the ledger have to find each other. Asked with the developer's key and
/// card; before those are made, making them is the question.
/// </summary>
internal static class Served
{
    private static readonly string[] Doors =
    [
        "/v1/accounts",
        "/v1/customers",
        "/v1/locations",
        "/v1/programs",
        "/v1/notifications",
        "/v1/reports/daily",
    ];

    private const long SaleCents = 100;

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>Null when all of it was answered, else what was not.</summary>
    public static async Task<string?> TroubleAsync(Checkout checkout, Ports ports, CancellationToken cancel)
    {
        if (Developer.Remembered(checkout) is not { CardCode: { } code, ProgramId: { } program } developer)
        {
            return null;
        }

        var lookup = new StringContent(JsonSerializer.Serialize(new { code }), Encoding.UTF8, "application/json");
        var sale = new StringContent(
            Developer.Terms(program, SaleCents).ToJsonString(),
            Encoding.UTF8,
            "application/json"
        );
        var answers = await Task.WhenAll([
            .. Doors.Select(path => AskAsync(HttpMethod.Get, path, null)),
            AskAsync(HttpMethod.Post, "/v1/gift_cards/lookup", lookup),
            AskAsync(HttpMethod.Post, "/v1/gift_cards", sale, SaleKey(checkout)),
        ]);
        return answers.FirstOrDefault(a => a is not null);

        // An answer that refuses is an answer: the key may be of a database that is gone.
        async Task<string?> AskAsync(HttpMethod method, string path, HttpContent? body, string? key = null)
        {
            using var request = new HttpRequestMessage(method, $"{ports.GatewayUrl}{path}") { Content = body };
            if (key is not null)
            {
                request.Headers.Add("Idempotency-Key", key);
            }

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

    /// <summary>
    /// One sale for these very processes: whoever asks again gets its answer, and none is sold until one restarts.
    /// </summary>
    private static string SaleKey(Checkout checkout) =>
        $"served-{string.Join('-', StackState.Running(checkout)?.Processes.Select(p => p.Pid) ?? [])}";
}
