using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>Healthy means served once: whoever waits for it may post at once, without a repeat.</summary>
[Collection(StackTests.Name)]
public sealed class HealthTests(StackFixture stack)
{
    [Theory]
    [InlineData("giftcard", "ledger", "sidecar")]
    [InlineData("merchant", "giftcard")]
    [InlineData("sidecar")]
    public async Task Fault_20_The_first_post_after_healthy_is_served(params string[] killed)
    {
        foreach (var name in killed)
        {
            using var process = Process.GetProcessById(stack.LocalPlus.PidOf(name));
            process.Kill();
        }

        await stack.LocalPlus.HealthyAsync();

        var program = await PostAsync("/v1/programs", new { name = "After a kill", currency = "EUR" });
        await PostAsync(
            "/v1/gift_cards",
            new { program_id = (string)program["id"]!, amount = new { amount = 100, currency = "EUR" } }
        );
    }

    private async Task<JsonNode> PostAsync<T>(string path, T body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", stack.ApiKey);
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString());
        using var answer = await stack.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(
            answer.StatusCode == HttpStatusCode.Created,
            $"POST {path} was answered {(int)answer.StatusCode} {text}"
        );
        return JsonNode.Parse(text)!;
    }
}
