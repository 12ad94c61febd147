using LocalPlus.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace LocalPlus.Hosting;

/// <summary>
/// The second lock on what is a merchant's (ADR 0036): a request on a merchant's behalf takes connections that say for
/// whom, and the tables' policies show it the rows of that merchant alone, whatever its statement forgot. Operators,
/// other services and work in the background say nobody and see all.
/// </summary>
/// <param name="setting">Of the session: what policies read.</param>
public sealed class RowSecurity(string setting)
{
    private static readonly AsyncLocal<string?> Flow = new();

    /// <summary>From here on this flow runs on the merchant's behalf.</summary>
    internal static void Enter(MerchantId merchant) => Flow.Value = merchant.Value.ToString();

    /// <summary>
    /// Says on the connection for whom it is used from now on. Each one is told each time it is taken from the pool, so
    /// nobody inherits what the one before said.
    /// </summary>
    internal async Task TellAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Sql.Tell, connection);
        command.Parameters.Add(new NpgsqlParameter<string>("Setting", setting));
        command.Parameters.Add(new NpgsqlParameter<string>("Merchant", Flow.Value ?? ""));
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static class Sql
    {
        public const string Tell = "SELECT set_config(@Setting, @Merchant, false)";
    }
}

/// <summary>For services whose tables have policies.</summary>
public static class RowSecurityRegistration
{
    private const string Setting = "localplus.merchant";

    public static void AddRowSecurity(this IServiceCollection services) =>
        services.AddSingleton(new RowSecurity(Setting));
}
