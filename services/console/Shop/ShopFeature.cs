using LocalPlus.Console.Session;
using LocalPlus.Console.Shop.Cards;
using LocalPlus.Console.Shop.Keys;
using LocalPlus.Console.Shop.Members;
using LocalPlus.Console.Shop.Places;
using LocalPlus.Console.Shop.Programs;
using LocalPlus.Console.Shop.Redemptions;
using LocalPlus.Console.Shop.Team;
using LocalPlus.Console.Shop.Templates;
using LocalPlus.Console.Shop.Webhooks;
using LocalPlus.Hosting;

namespace LocalPlus.Console.Shop;

/// <summary>
/// The merchant's portal: pages over <c>/v1</c> with the token of one of its people, so that their role in the team
/// decides what they see and do. A folder has its pages and the forms on them.
/// </summary>
internal static class ShopFeature
{
    public const string Root = $"{ConsoleService.Root}/shop";

    public static void MapShop(this WebApplication app) =>
        app.MapGroup(Root)
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription()
            .MapProgramForms()
            .MapCardForms()
            .MapRedemptionForms()
            .MapMemberForms()
            .MapPlaceForms()
            .MapTeamForms()
            .MapKeyForms()
            .MapWebhookForms()
            .MapTemplateForms();
}
