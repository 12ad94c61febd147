using LocalPlus.Hosting;
using LocalPlus.Merchant;
using LocalPlus.Merchant.Details;
using LocalPlus.Merchant.Keys;
using LocalPlus.Merchant.Locations;
using LocalPlus.Merchant.Operators;
using LocalPlus.Merchant.Terminals;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("merchant");
builder.Services.AddSingleton(_ => new KeyHasher(builder.Configuration["Secrets:key_pepper"]));
builder.Services.AddSingleton(_ => new IbanSeal(builder.Configuration["Secrets:key_pepper"]));
builder.Services.AddSingleton<ApiKeys>();

// The other services ask this one; it asks its own table.
builder.Services.AddSingleton<IApiKeyVerifier>(services => services.GetRequiredService<ApiKeys>());

var app = builder.Build();
app.UseLocalPlus();
app.MapAdminApi().MapOnboardMerchant();
app.MapOperatorApi().MapFindMerchants().MapDecideMerchant().MapReadVersionsForOperators();
var merchants = app.MapMerchantApi();
merchants.MapGetMerchant().MapChangeMerchant().MapSubmitMerchant().MapReadVersions();
merchants.MapCreateApiKey().MapRotateApiKey().MapListApiKeys().MapRevokeApiKey();
merchants.MapCreateLocation().MapGetLocation().MapListLocations().MapChangeLocation();
merchants.MapRegisterTerminal().MapReadTerminals().MapBlockTerminal();
var intern = app.MapInternal();
intern.MapFindLocation().MapFindTerminal();
intern.MapVerifyApiKey().MapGetMerchantContact();
return await app.RunLocalPlusAsync(args);
