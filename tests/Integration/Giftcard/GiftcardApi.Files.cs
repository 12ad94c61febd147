using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Files that merchants send and get: imports, jobs and reports.</summary>
public partial class GiftcardApi
{
    /// <summary>Sends a part of an import, as often as the service asks to be asked again.</summary>
    public async Task<JsonElement> UploadAsync(
        string import,
        int part,
        string text,
        int status = 200,
        string media = "text/csv",
        string? key = null
    )
    {
        var result = default(JsonElement);
        await Eventually.TrueAsync(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/gift_cards/import/{import}/parts/{part}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key ?? Key);
            request.Content = new StringContent(text, new MediaTypeHeaderValue(media));
            using var answer = await Service.Public.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                return false;
            }

            Assert.True(status == (int)answer.StatusCode, $"{(int)answer.StatusCode} {body}\n{Service.Output}");
            result = JsonSerializer.Deserialize<JsonElement>(body);
            return true;
        });
        return result;
    }

    /// <summary>Waits until a job has come to a step, and returns it.</summary>
    public async Task<JsonElement> JobAsync(string id, string step, string? key = null)
    {
        var job = default(JsonElement);
        await Eventually.TrueAsync(
            async () => (job = await GetAsync($"/v1/jobs/{id}", key: key)).GetProperty("step").GetString() == step,
            because: () => $"The job did not become {step}: {job}\n{Service.Output}"
        );
        return job;
    }

    /// <summary>The lines of an answer that is no JSON, without the first, which names their columns.</summary>
    public async Task<string[]> LinesAsync(string path, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key ?? Key);
        using var answer = await Service.Public.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync();
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimEnd('\r')).Skip(1)];
    }
}
