using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>The verbs on the API as people have them: signed in by device code, with a key, refused.</summary>
[Collection(StackTests.Name)]
public sealed partial class ClientTests(StackFixture stack)
{
    [Fact]
    public async Task An_operator_signs_in_by_device_code_and_retries_a_run()
    {
        var run = await HeldAsync();
        try
        {
            await SignInAsync("otto");
            var who = JsonNode.Parse(await OutputAsync("whoami", "-o", "json"))!;
            Assert.Equal(("otto", "operator"), ((string)who["person"]!["subject"]!, (string)who["person"]!["role"]!));

            // The run is there once the engine has told of it.
            await stack.LocalPlus.UntilAsync(
                "the run can be retried",
                async () => (await stack.LocalPlus.RunAsync("runs", "retry", run, "--reason", "a test")).ExitCode == 0
            );
            var list = await OutputAsync("runs", "list", "--filter", "state=held", "--all", "-o", "csv");
            Assert.Contains($"\n{run},", list, StringComparison.Ordinal);
            var detail = JsonNode.Parse(await OutputAsync("runs", "show", run, "-o", "json"))!;
            Assert.Contains(
                detail["actions"]!.AsArray(),
                action => (string?)action!["reason"] == "a test" && action.ToJsonString().Contains("otto")
            );
        }
        finally
        {
            await stack.LocalPlus.MustAsync("logout");
        }
    }

    [Fact]
    public async Task A_viewer_is_refused_and_told_what_it_needs()
    {
        var ended = await stack.LocalPlus.RunAsync(
            "runs",
            "retry",
            "rdm_00000000000000000000000000",
            "--reason",
            "a test",
            "--role",
            "viewer"
        );

        Assert.Equal(4, ended.ExitCode);
        Assert.Contains("failed: scope_missing", ended.Output, StringComparison.Ordinal);
        Assert.Contains("it needs operator", ended.Output, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^request: \S+$", ended.Output);
    }

    [Theory]
    [InlineData("cards", "show", "gc_00000000000000000000000000")]
    [InlineData("runs", "show", "rdm_00000000000000000000000000")]
    [InlineData("dlq", "show", "999999999", "--service", "wallet", "--role", "operator")]
    public async Task What_is_not_there_is_not_found(params string[] words)
    {
        var ended = await stack.LocalPlus.RunAsync(words);

        Assert.Equal(3, ended.ExitCode);
        Assert.Contains("docs/reference/problems.md#not_found", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_merchant_makes_rotates_and_revokes_a_key()
    {
        var made = JsonNode.Parse(
            await OutputAsync([.. "keys create --name till --scopes programs:read,gift_cards:read -o json".Split(' ')])
        )!;
        var key = (string)made["key"]!;
        await stack.LocalPlus.MustAsync("programs", "list", "--key", key);
        var refused = await stack.LocalPlus.RunAsync("keys", "list", "--key", key);
        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("it needs a key with api_keys:read", refused.Output, StringComparison.Ordinal);

        await stack.LocalPlus.MustAsync("keys", "revoke", (string)made["id"]!);

        await stack.LocalPlus.UntilAsync(
            "the key works no more",
            async () => (await stack.LocalPlus.RunAsync("programs", "list", "--key", key)).ExitCode == 4
        );
    }

    [Fact]
    public async Task A_file_of_cards_becomes_cards()
    {
        var program = JsonNode.Parse(
            await OutputAsync([.. "programs create --name Elsewhere --currency EUR -o json".Split(' ')])
        )!;
        var file = Path.Combine(stack.LocalPlus.State, "cards.csv");
        await File.WriteAllTextAsync(file, "code,balance\nK7QW9ZX2MB4T11AA,25.00\nQQ4RT8ZX2MB4T1BB,-1\n");

        var job = JsonNode.Parse(
            await OutputAsync(
                "import",
                file,
                "--program-id",
                (string)program["id"]!,
                "--amounts",
                "major_units",
                "--commit",
                "-o",
                "json"
            )
        )!;

        Assert.Equal(("committed", 1, 1), ((string)job["step"]!, (int)job["done"]!, (int)job["refused"]!));
        var cards = await OutputAsync("cards", "list", "--filter", $"program_id={program["id"]}", "-o", "csv");
        Assert.Contains(",2500,EUR,", cards, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dlq list")]
    [InlineData("outbox list")]
    [InlineData("jobs list")]
    [InlineData("queues list")]
    [InlineData("attention list")]
    [InlineData("flags list")]
    [InlineData("audit list")]
    [InlineData("audit verify")]
    [InlineData("merchants list")]
    [InlineData("requests list")]
    [InlineData("webhooks list")]
    [InlineData("events list")]
    [InlineData("whoami")]
    public async Task What_people_look_at_is_shown_in_every_form(string verb)
    {
        foreach (var format in (string[])["table", "json", "csv"])
        {
            var output = await OutputAsync([.. verb.Split(' '), "-o", format]);

            if (format == "json")
            {
                Assert.NotNull(JsonNode.Parse(output));
            }
            else
            {
                Assert.NotEmpty(output.Trim());
            }
        }
    }

    /// <summary>Standard output alone, of what has to succeed.</summary>
    private async Task<string> OutputAsync(params string[] words)
    {
        var ended = await stack.LocalPlus.RunAsync(words);
        Assert.True(ended.ExitCode == 0, ended.Output);
        return ended.Data;
    }

    /// <summary>A terminal that waits, and somebody with a browser.</summary>
    private async Task SignInAsync(string person)
    {
        var address = new TaskCompletionSource<string>();
        var terminal = stack.LocalPlus.RunAsync(
            line =>
            {
                if (line.StartsWith("Open ", StringComparison.Ordinal))
                {
                    address.TrySetResult(line["Open ".Length..]);
                }
            },
            "login"
        );
        Assert.Same(address.Task, await Task.WhenAny(address.Task, terminal));
        var code = new Uri(await address.Task);
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() })
        {
            BaseAddress = new Uri($"http://localhost:{5707 + stack.LocalPlus.Offset}"),
        };
        var page = await browser.GetStringAsync(code.PathAndQuery);
        await PostAsync(browser, "/sign-in", [.. Hidden(page), new("person", person)]);
        var query = System.Web.HttpUtility.ParseQueryString(code.Query);
        await PostAsync(browser, "/connect/verify", [new("user_code", query["user_code"]!)]);
        Assert.Equal(0, (await terminal).ExitCode);
    }

    private static async Task PostAsync(HttpClient browser, string path, KeyValuePair<string, string>[] fields)
    {
        using var form = new FormUrlEncodedContent(fields);
        using var answer = await browser.PostAsync(path, form);
        answer.EnsureSuccessStatusCode();
    }

    private static IEnumerable<KeyValuePair<string, string>> Hidden(string page) =>
        HiddenField()
            .Matches(page)
            .Select(m => KeyValuePair.Create(m.Groups[1].Value, WebUtility.HtmlDecode(m.Groups[2].Value)));

    /// <summary>A redemption that waits for its till.</summary>
    private async Task<string> HeldAsync()
    {
        var program = await AskAsync("/v1/programs", new { name = "For operators", currency = "EUR" });
        var amount = new { amount = 1000, currency = "EUR" };
        var card = await AskAsync("/v1/gift_cards", new { program_id = (string)program["id"]!, amount });
        var redemption = await AskAsync(
            "/v1/redemptions",
            new
            {
                mode = "two_phase",
                amount,
                sources = new[] { new { gift_card = new { code = (string)card["code"]! } } },
            }
        );
        return (string)redemption["id"]!;
    }

    private async Task<JsonNode> AskAsync<T>(string path, T body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", stack.ApiKey);
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString());
        using var answer = await stack.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, $"POST {path}: {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    [GeneratedRegex("""<input type="hidden" name="([^"]*)" value="([^"]*)">""")]
    private static partial Regex HiddenField();
}
