using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Browser;

/// <summary>What a shop does beside the browser.</summary>
internal static class Tills
{
    /// <summary>Sells a card of 10 EUR and holds all of it; the redemption's id.</summary>
    public static async Task<string> HeldAsync(this ChromiumFixture chromium)
    {
        var program = await PostAsync(chromium, "/v1/programs", new { name = "Browser", currency = "EUR" });
        var amount = new { amount = 1000, currency = "EUR" };
        var card = await PostAsync(chromium, "/v1/gift_cards", new { program_id = (string)program["id"]!, amount });
        var held = await PostAsync(
            chromium,
            "/v1/redemptions",
            new
            {
                reference = $"browser {Guid.CreateVersion7():N}",
                amount,
                mode = "two_phase",
                sources = new[] { new { gift_card = new { code = (string)card["code"]! } } },
            }
        );
        return (string)held["id"]!;
    }

    /// <summary>Registers a till at a place, so that there is one to stand at.</summary>
    public static async Task TerminalAsync(this ChromiumFixture chromium)
    {
        var place = await PostAsync(chromium, "/v1/locations", new { name = "By the sea" });
        await PostAsync(chromium, $"/v1/locations/{(string)place["id"]!}/terminals", new { name = "Till" });
    }

    private static async Task<JsonNode> PostAsync(ChromiumFixture chromium, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", chromium.Stack.ApiKey);
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString());
        using var answer = await chromium.Stack.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"POST {path} was answered {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }
}
