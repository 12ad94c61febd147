using LocalPlus.Hosting;
using LocalPlus.Merchant.Audit;
using LocalPlus.Merchant.Details;
using LocalPlus.Merchant.Keys;
using LocalPlus.Merchant.Locations;
using LocalPlus.Merchant.Operators;
using LocalPlus.Merchant.Requests;
using LocalPlus.Merchant.Team;
using LocalPlus.Merchant.Terminals;

namespace LocalPlus.Merchant;

/// <summary>What this service is made of.</summary>
internal static class MerchantService
{
    public static void AddMerchant(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(_ => new KeyHasher(builder.Configuration));
        builder.Services.AddSingleton(_ => new IbanSeal(builder.Configuration));
        builder.Services.AddSingleton<People>();
        builder.Services.AddSingleton<ApiKeys>();
        builder.Services.AddCaches();
        builder.Services.AddSingleton<MerchantCopies>();
        builder.Services.AddAudit();
        builder.Services.AddRequestLog();

        // The other services ask this one; it asks its own table.
        builder.Services.AddSingleton<IApiKeyVerifier>(services => services.GetRequiredService<ApiKeys>());
    }

    public static void MapMerchant(this WebApplication app)
    {
        app.MapAdminApi().MapOnboardMerchant();

        var operators = app.MapOperatorApi();
        operators.MapListFlags();
        operators.MapFindMerchants().MapDecideMerchant().MapReadVersionsForOperators();
        operators.MapAddTeamMemberForOperators();

        var merchants = app.MapMerchantApi();
        merchants.MapGetMerchant().MapChangeMerchant().MapSubmitMerchant().MapReadVersions().MapReadLimits();
        merchants.MapCreateApiKey().MapRotateApiKey().MapListApiKeys().MapRevokeApiKey();
        merchants.MapCreateLocation().MapGetLocation().MapListLocations().MapChangeLocation();
        merchants.MapRegisterTerminal().MapReadTerminals().MapBlockTerminal();
        merchants.MapAddTeamMember().MapReadTeam().MapChangeTeamMember();

        app.MapEvents().MapEvents<Changed>("merchant.changed.v1", MerchantCopies.HandleAsync, Repeats.AreHarmless);
        app.MapAudit();
        app.MapRequestLog();
        var intern = app.MapInternal();
        intern.MapFindLocation().MapFindTerminal();
        intern.MapVerifyApiKey().MapGetMerchantContact();
    }
}
