using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>Customers, members and a voucher of all kinds that the key of personal data finds.</summary>
internal sealed class PiiPeople(RunningService service, string key)
{
    private const string Phone = "+33123456789";
    private string program = "";
    private string code = "";
    private string anna = "";
    private string member = "";
    private string gone = "";

    public async Task ComeAsync()
    {
        anna = (await TakeAsync(service, key, "anna@example.test", Phone)).Customer;
        var before = (await TakeAsync(service, key, "anna.before@example.test")).Customer;
        await service.CallAsync(HttpMethod.Post, $"/v1/customers/{before}/merge", key, new { into = anna });
        var consent = new
        {
            purpose = "newsletter",
            text_version = "1",
            proof = "a form",
        };
        await service.CallAsync(HttpMethod.Post, $"/v1/customers/{anna}/consents", key, consent, 201);
        gone = (await TakeAsync(service, key, "gone@example.test")).Customer;
        await service.CallAsync(HttpMethod.Post, $"/v1/customers/{gone}/erase", key, new { });

        program = await ProgramAsync(service, key);
        member = await EnrolAsync(service, key, program, "member@example.test", Phone);
        await service.CallAsync(
            HttpMethod.Post,
            $"/v1/members/{member}/adjust",
            key,
            new { points = 50, reason = "welcome" },
            201
        );
        var reward = await service.CallAsync(
            HttpMethod.Post,
            "/v1/loyalty_rewards",
            key,
            new
            {
                program_id = program,
                name = "A cup",
                points = 20,
            },
            201
        );
        var voucher = await service.CallAsync(
            HttpMethod.Post,
            $"/v1/loyalty_rewards/{Id(reward)}/redeem",
            key,
            new { member_id = member },
            201
        );
        code = voucher.GetProperty("code").GetString()!;
    }

    public async Task AreFoundAsync()
    {
        // An address that was merged into hers leads to her, though nobody knows any more what it is.
        foreach (var email in new[] { "anna@example.test", "anna.before@example.test" })
        {
            var found = Assert.Single(await FindAsync(service, key, email));
            Assert.Equal(
                (anna, "anna@example.test", Phone),
                (Id(found), found.GetProperty("email").GetString(), found.GetProperty("phone").GetString())
            );
            Assert.Equal((anna, false), await TakeAsync(service, key, email));
        }

        var byPhone = await service.CallAsync(HttpMethod.Post, "/v1/customers/find", key, new { phone = Phone });
        Assert.Equal(anna, Id(Assert.Single(byPhone.GetProperty("data").EnumerateArray())));
        var consents = await service.CallAsync(HttpMethod.Get, $"/v1/customers/{anna}/consents", key);
        Assert.Equal("a form", consents.GetProperty("data")[0].GetProperty("proof").GetString());
        foreach (
            var by in new object[]
            {
                new { program_id = program, email = "member@example.test" },
                new { program_id = program, phone = Phone },
            }
        )
        {
            Assert.Equal(member, Id(await service.CallAsync(HttpMethod.Post, "/v1/members/find", key, by)));
        }

        Assert.Equal(member, await EnrolAsync(service, key, program, "other@example.test", Phone));
        Assert.Empty(await FindAsync(service, key, "gone@example.test"));
        await service.CallAsync(HttpMethod.Get, $"/v1/customers/{gone}", key, status: 404);
    }

    /// <summary>The voucher is taken once.</summary>
    public async Task AreUsedUpAsync()
    {
        object use = new { program_id = program, code };
        await service.CallAsync(HttpMethod.Post, "/v1/loyalty_rewards/use_voucher", key, use);
        await service.CallAsync(HttpMethod.Post, "/v1/loyalty_rewards/use_voucher", key, use, 409);
    }

    /// <summary>The customer with an address, and whether there was none.</summary>
    public static async Task<(string Customer, bool IsNew)> TakeAsync(
        RunningService service,
        string key,
        string email,
        string? phone = null
    )
    {
        var (status, body) = await PostAsync(service, key, "/v1/customers", new { email, phone });
        return (body.GetProperty(status == 201 ? "id" : "customer_id").GetString()!, status == 201);
    }

    /// <summary>The member with an address or a telephone, who may have been one before.</summary>
    public static async Task<string> EnrolAsync(
        RunningService service,
        string key,
        string program,
        string email,
        string? phone = null
    )
    {
        var body = new
        {
            program_id = program,
            email,
            phone,
        };
        var (status, answer) = await PostAsync(service, key, "/v1/members", body);
        return answer.GetProperty(status == 201 ? "id" : "member_id").GetString()!;
    }

    public static async Task<JsonElement[]> FindAsync(RunningService service, string key, string email)
    {
        var found = await service.CallAsync(HttpMethod.Post, "/v1/customers/find", key, new { email });
        return [.. found.GetProperty("data").EnumerateArray()];
    }

    public static async Task<string> ProgramAsync(RunningService service, string key)
    {
        var money = new { amount = 100, currency = "EUR" };
        var terms = new
        {
            name = "Points",
            currency = "EUR",
            earn = new { points = 1, per = money },
            point_value = new { points = 100, value = money },
            time_zone = "Europe/Paris",
        };
        return Id(await service.CallAsync(HttpMethod.Post, "/v1/loyalty_programs", key, terms, 201));
    }

    /// <summary>Made, or there before; busy is an invitation to repeat with the same key.</summary>
    private static async Task<(int Status, JsonElement Body)> PostAsync(
        RunningService service,
        string key,
        string path,
        object body
    )
    {
        var (attempt, status, text) = (Guid.CreateVersion7().ToString(), 0, "");
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await service.SendAsync(HttpMethod.Post, path, key, body, attempt);
            (status, text) = ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
            return status != 503;
        });
        Assert.True(status is 201 or 409, $"{path}: {status} {text}\n{service.Output}");
        return (status, JsonElement.Parse(text));
    }

    private static string Id(JsonElement body) => body.GetProperty("id").GetString()!;
}

/// <summary>Comes, is found and changes its address, again and again until this is disposed of.</summary>
internal sealed class PiiLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource end = new();
    private readonly Task<int>[] flows;

    public PiiLoad(RunningService service, string key) =>
        flows = [.. Enumerable.Range(0, 3).Select(flow => Task.Run(() => RunAsync(service, key, flow)))];

    /// <summary>How many people there were. Throws what one of them met that should not be.</summary>
    public async Task<int> EndAsync()
    {
        await end.CancelAsync();
        return (await Task.WhenAll(flows)).Sum();
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(flows);
        end.Dispose();
    }

    private async Task<int> RunAsync(RunningService service, string key, int flow)
    {
        var count = 0;
        for (; !end.IsCancellationRequested; count++)
        {
            var (first, second) = ($"load-{flow}-{count}@example.test", $"moved-{flow}-{count}@example.test");
            var (id, isNew) = await PiiPeople.TakeAsync(service, key, first);
            Assert.True(isNew, first);
            Assert.Single(await PiiPeople.FindAsync(service, key, first));
            await service.PatchAsync($"/v1/customers/{id}", key, 1, new { email = second });
            Assert.Empty(await PiiPeople.FindAsync(service, key, first));
            Assert.Equal((id, false), await PiiPeople.TakeAsync(service, key, second));
        }

        return count;
    }
}
