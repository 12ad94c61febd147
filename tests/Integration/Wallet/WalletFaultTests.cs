using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>What was found from outside at the wallet, each kind over all of its routes.</summary>
public sealed class WalletFaultTests(WalletApi api) : IClassFixture<WalletApi>
{
    private const string Customer = """{"email":"jo@example.test","name":"Jo","phone":"+33 1","locale":"fr"}""";

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(50)]
    public async Task Fault_01_Equal_requests_at_once_have_one_effect_and_one_answer(int times)
    {
        var (merchant, bearer) = api.NewMerchant();

        await EqualRequests.SendAsync(
            key => api.Service.SendAsync(HttpMethod.Post, "/v1/customers", bearer, Customer, key),
            times,
            201
        );

        Assert.Equal(1L, await CountAsync($"customers WHERE merchant_id = '{merchant.Value}'"));
        Assert.Equal(1L, await CountAsync($"wallets WHERE merchant_id = '{merchant.Value}'"));
    }

    [Fact]
    public async Task Fault_15_What_is_stored_of_a_request_does_not_tell_whose_it_was()
    {
        var (merchant, bearer) = api.NewMerchant();
        var key = Guid.CreateVersion7().ToString();
        await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", bearer, Customer, 201, key);

        var reordered = """{"locale":"fr","phone":"+33 1","name":"Jo","email":"jo@example.test"}""";
        await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", bearer, reordered, 201, key);
        var other = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            bearer,
            """{"email":"other@example.test"}""",
            422,
            key
        );

        Assert.Equal("idempotency_key_reused", other.GetProperty("code").GetString());
        Assert.Equal(
            1L,
            await CountAsync(
                $"idempotency_keys WHERE merchant_id = '{merchant.Value}' AND get_byte(fingerprint, 0) = 1"
            )
        );
    }

    [Fact]
    public async Task Fault_27_Both_spellings_of_a_domain_are_one_customer_and_one_address()
    {
        var (merchant, bearer) = api.NewMerchant();
        var made = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            bearer,
            new { email = "jo@bücher.example" },
            201
        );
        var id = made.GetProperty("id").GetString();

        var again = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            bearer,
            new { email = "Jo@XN--bcher-kva.example" },
            409
        );
        var found = await api.Service.InvokeAsync(
            HttpMethod.Post,
            "/internal/customers",
            new { merchant_id = merchant.ToString(), email = "jo@BÜCHER.example" }
        );

        Assert.Equal(id, again.GetProperty("customer_id").GetString());
        Assert.Equal(id, found.GetProperty("customer_id").GetString());
        var contact = await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customers/{id}/contact?merchant_id={merchant}"
        );
        Assert.Equal("jo@xn--bcher-kva.example", contact.GetProperty("email").GetString());
    }

    [Fact]
    public async Task Fault_27_A_name_is_as_long_as_names_are_everywhere()
    {
        var (_, bearer) = api.NewMerchant();

        await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            bearer,
            new { email = "long@example.test", name = new string('n', 200) },
            201
        );
        var problem = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            bearer,
            new { email = "longer@example.test", name = new string('n', 201) },
            400
        );

        Assert.Equal("/name", problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task Fault_22_Every_route_survives_what_callers_and_libraries_get_wrong()
    {
        var (merchant, bearer) = api.NewMerchant();

        Assert.InRange(
            await InputCorpus.SurviveAsync(api.Service, "/v1/customers", bearer, Customer),
            40,
            int.MaxValue
        );

        Assert.Equal(0L, await CountAsync($"customers WHERE merchant_id = '{merchant.Value}'"));
    }

    private async Task<long> CountAsync(string rows)
    {
        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT count(*) FROM {rows}", connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
