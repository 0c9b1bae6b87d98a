"""The plugin in a real WordPress: an administrator sets it up, an author places forms, a visitor's lead arrives."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.sandbox import Office
from tests.acceptance.conftest import browser, context, page, public
from tests.servers import eventually
from tests.wordpress.site import PASSWORD, Site, wordpress

__all__ = ["browser", "context", "page", "public"]  # fixtures

CUSTOMER = "M12345"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with wordpress(tmp_path_factory.mktemp("wordpress")) as site:
        yield site
        lines = site.log.read_text("utf-8").splitlines() if site.log.exists() else []
        assert not [line for line in lines if "plugins/intresse" in line]  # no notice, no warning of PHP's


@pytest.fixture
def site(installed: Site, public: Callable[..., str]) -> Site:
    """Configured for a service whose customer allows this site."""
    service = public(customer={"allowed_origins": [installed.url]})
    installed.configure(service=service, customer=CUSTOMER, estate_field="intresse_estate", remember=False)
    return installed


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="sv-SE")
    context.set_default_timeout(60_000)
    yield context
    context.close()


def signed_in(context: BrowserContext, site: Site, user: str) -> Page:
    """Without the sign-in page's form, whose own script moves the focus while one types."""
    context.request.get(f"{site.url}/wp-login.php")  # for the cookie that says that cookies are kept
    answer = context.request.post(
        f"{site.url}/wp-login.php", form={"log": user, "pwd": PASSWORD, "testcookie": "1"}, max_redirects=0
    )
    assert answer.status == 302, answer.text()
    return context.new_page()


def new_post(page: Page, site: Site) -> Page:
    page.goto(f"{site.url}/wp-admin/post-new.php")
    page.get_by_role("textbox", name="Add title").fill("Storgatan 1")
    page.keyboard.press("Enter")
    return page


def published(page: Page) -> str:
    page.get_by_role("button", name="Publish", exact=True).first.click()
    page.get_by_label("Editor publish").get_by_role("button", name="Publish", exact=True).click()
    link = page.locator(".post-publish-panel__postpublish-buttons a").first
    expect(link).to_be_visible()
    return str(link.get_attribute("href"))


def send_interest(page: Page, address: str) -> None:
    """As a visitor of a campaign."""
    page.goto(f"{address}{'&' if '?' in address else '?'}utm_source=nyhetsbrev&utm_campaign=host")
    frame = page.locator("iframe[src*='/forms/']")
    frame.scroll_into_view_if_needed()
    form = frame.content_frame
    form.get_by_label("Förnamn").fill("Anna")
    form.get_by_label("Efternamn").fill("Åkesson")
    form.get_by_label("Mobil").fill("070-174 06 05")
    form.get_by_label("Ja, ni får").check()
    form.get_by_role("button", name="Skicka intresseanmälan").click()
    expect(form.get_by_role("heading", level=1)).to_contain_text("Tack")


def arrived(office: Office) -> Any:
    eventually(lambda: office.received)
    [lead] = office.received
    return lead


def test_an_author_places_the_block_and_a_lead_arrives_with_its_campaign(
    site: Site, desktop: BrowserContext, page: Page, office: Office
) -> None:
    editor = new_post(signed_in(desktop, site, "author"), site)
    editor.keyboard.type("/Intresse: Interest")
    editor.get_by_role("option", name="Intresse: Interest in a home").click()
    editor.get_by_role("button", name="Settings", exact=True).first.wait_for()
    editor.get_by_label("The home’s id").fill("OBJ1 ")  # as it was copied
    preview = editor.frame_locator("iframe[title='Preview of the form']")
    expect(preview.get_by_label("Förnamn")).to_be_visible()
    editor.get_by_label("Customer id").fill("M2")
    expect(editor.locator("iframe[src$='/forms/M2/interest/OBJ1']")).to_be_visible()
    editor.get_by_label("Customer id").fill("")
    send_interest(page, published(editor))
    lead = arrived(office)
    assert lead.path == f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
    assert {"name": "utm_source", "value": "nyhetsbrev"} in lead.body["marketing"]["utmTags"]


def test_a_shortcode_that_an_author_typed_shows_the_form(
    site: Site, desktop: BrowserContext, page: Page, office: Office
) -> None:
    editor = new_post(signed_in(desktop, site, "author"), site)
    editor.keyboard.type('[intresse form="interest" estate="OBJ2"]')
    send_interest(page, published(editor))
    assert arrived(office).path == f"/Advertising/Estate/{CUSTOMER}/OBJ2/interest"


def test_the_guide_s_snippet_in_a_block_of_html_brings_a_lead_with_its_campaign(
    site: Site, page: Page, office: Office
) -> None:
    guide = (Path(__file__).parents[2] / "docs/embedding.md").read_text("utf-8")
    snippet = guide.split("```html\n")[1].split("```")[0]
    service = site.php("echo wp_json_encode( get_option( 'intresse' )['service'] );")
    html = snippet.replace("https://leads.example.se", service)
    send_interest(page, site.publish(f"<!-- wp:html -->{html}<!-- /wp:html -->"))
    assert {"name": "utm_campaign", "value": "host"} in arrived(office).body["marketing"]["utmTags"]


def test_one_template_serves_every_listing_by_its_custom_field(site: Site, page: Page, office: Office) -> None:
    site.php(
        """
        $id = wp_insert_post( array(
            'post_type' => 'wp_template', 'post_name' => 'single', 'post_title' => 'Listing',
            'post_status' => 'publish',
            'post_content' => '<!-- wp:post-title /--><!-- wp:intresse/form {"form":"interest"} /-->',
        ) );
        wp_set_object_terms( $id, get_stylesheet(), 'wp_theme' );
        """
    )
    try:
        address = site.publish("<p>En tvåa.</p>", intresse_estate="OBJ3")
        send_interest(page, address)
        assert arrived(office).path == f"/Advertising/Estate/{CUSTOMER}/OBJ3/interest"
        page.goto(site.publish("<p>Ingen bostad.</p>"))
        expect(page.locator("[data-intresse]")).to_have_count(0)
        expect(page.locator("script[src$='/embed.js']")).to_have_count(0)
    finally:
        site.php(
            "array_map( 'wp_delete_post', wp_list_pluck( get_posts( array( 'post_type' => 'wp_template' ) ), 'ID' ) );"
        )


def test_beside_a_list_of_listings_a_form_is_about_none_of_them(site: Site, page: Page) -> None:
    site.publish("<p>En tvåa.</p>", intresse_estate="OBJ4")
    site.php(
        """
        $listed = '<!-- wp:post-title /--><!-- wp:intresse/form {"form":"viewing"} /-->';
        $id = wp_insert_post( array(
            'post_type' => 'wp_template', 'post_name' => 'home', 'post_title' => 'List', 'post_status' => 'publish',
            'post_content' => '<!-- wp:intresse/form {"form":"interest"} /-->'
                . '<!-- wp:query {"queryId":0,"query":{"inherit":true}} --><div class="wp-block-query">'
                . "<!-- wp:post-template -->$listed<!-- /wp:post-template --></div><!-- /wp:query -->"
                . '<!-- wp:shortcode -->[intresse form="final-price"]<!-- /wp:shortcode -->',
        ) );
        wp_set_object_terms( $id, get_stylesheet(), 'wp_theme' );
        """
    )
    try:
        page.goto(site.url)
        expect(page.locator("[data-intresse='viewing'][data-estate='OBJ4']")).to_have_count(1)
        expect(page.locator("[data-intresse='interest'], [data-intresse='final-price']")).to_have_count(0)
    finally:
        site.php(
            "array_map( 'wp_delete_post', wp_list_pluck( get_posts( array( 'post_type' => 'wp_template' ) ), 'ID' ) );"
        )


def test_the_script_is_loaded_only_where_a_form_is_and_only_once(site: Site, page: Page) -> None:
    page.goto(site.publish("<p>Om oss.</p>"))
    expect(page.locator("script[src$='/embed.js']")).to_have_count(0)
    page.goto(site.publish('[intresse form="valuation"] [intresse estate="OBJ1"]'))
    expect(page.locator("script[src$='/embed.js']")).to_have_count(1)
    assert page.locator("script[src$='/embed.js']").get_attribute("async") is not None


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ('form="interest" estate="OBJ1"', "/forms/M12345/interest/OBJ1"),
        ('form="viewing" estate="OBJ1"', "/forms/M12345/viewing/OBJ1"),
        ('form="viewing" viewing="VIS1" slot="T1"', "/forms/M12345/viewing/VIS1/T1"),
        ('form="valuation"', "/forms/M12345/valuation"),
        ('form="valuation" customer="M2"', "/forms/M2/valuation"),
        ('form="valuation" estate="OBJ1"', "/forms/M12345/valuation"),
        ('form="Valuation"', "/forms/M12345/valuation"),
        ('form="final-price" estate="OBJ1"', "/forms/M12345/final-price/OBJ1"),
    ],
)
def test_without_scripts_the_link_leads_to_the_form(site: Site, browser: Browser, form: str, path: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.publish(f"[intresse {form}]"))
    address = page.locator("[data-intresse] > a").get_attribute("href")
    context.close()
    assert address
    assert address.endswith(path)
    assert address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("attack", ['"><script>alert(1)</script>', "' onmouseover='alert(1)", "../../x", "a b", "å"])
def test_nothing_that_an_author_writes_breaks_out_of_an_attribute(site: Site, page: Page, attack: str) -> None:
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    block = f'<!-- wp:intresse/form {{"estate":"OBJ1","title":{_json(attack)},"lang":{_json(attack)}}} /-->'
    page.goto(site.publish(block))
    element = page.locator("[data-intresse]")
    expect(element).to_have_count(1)
    assert set(element.evaluate("e => e.getAttributeNames()")) <= {
        "class", "data-intresse", "data-customer", "data-estate", "data-title",
    }  # fmt: skip
    assert not alerts
    page.goto(site.publish(f'<!-- wp:intresse/form {{"estate":{_json(attack)}}} /-->'))
    expect(page.locator("[data-intresse]")).to_have_count(0)


def _json(text: str) -> str:
    """As the block editor writes it into a comment."""
    return json.dumps(text).replace("--", "\\u002d\\u002d").replace("<", "\\u003c").replace(">", "\\u003e")


def test_without_settings_a_visitor_sees_nothing_broken_and_an_editor_reads_why(
    installed: Site, desktop: BrowserContext, page: Page
) -> None:
    installed.configure(service="", customer="")
    address = installed.publish('<p>Storgatan 1</p> [intresse estate="OBJ1"]')
    page.goto(address)
    expect(page.get_by_text("Storgatan 1").first).to_be_visible()
    expect(page.locator("[data-intresse], .intresse-notice")).to_have_count(0)
    administrator = signed_in(desktop, installed, "admin")
    administrator.goto(address)
    expect(administrator.locator(".intresse-notice")).to_contain_text("Settings → Intresse")
    editor = new_post(administrator, installed)
    editor.keyboard.type("/Intresse: Valuation")
    editor.get_by_role("option", name="Intresse: Valuation").click()
    expect(editor.get_by_text("Intresse has no settings yet")).to_be_visible()


def test_a_form_that_does_not_exist_is_told_to_whoever_may_edit(
    site: Site, desktop: BrowserContext, page: Page
) -> None:
    address = site.publish('[intresse form="värdering" estate="OBJ1"]')
    page.goto(address)
    expect(page.locator("[data-intresse], .intresse-notice")).to_have_count(0)
    administrator = signed_in(desktop, site, "admin")
    administrator.goto(address)
    expect(administrator.locator(".intresse-notice")).to_contain_text("There is no form “värdering”")


def test_an_administrator_enters_the_settings_and_reads_what_is_wrong(installed: Site, desktop: BrowserContext) -> None:
    installed.configure(service="", customer="")
    page = signed_in(desktop, installed, "admin")
    page.goto(f"{installed.url}/wp-admin/options-general.php?page=intresse")
    page.get_by_label("Address of the service").fill("http://leads.example.se")
    page.get_by_label("Customer id").fill("M 1")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.locator(".notice-error, .error")).to_have_count(2)
    page.get_by_label("Address of the service").fill("https://leads.exa mple.se")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.locator(".notice-error, .error")).to_have_count(1)
    page.get_by_label("Address of the service").fill("https://leads.example.se/embed.js")
    page.get_by_label("Customer id").fill("M12345")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_label("Address of the service")).to_have_value("https://leads.example.se")
    expect(page.get_by_label("Customer id")).to_have_value("M12345")


def test_a_swedish_administrator_reads_swedish(site: Site, desktop: BrowserContext) -> None:
    site.php("update_user_meta( 1, 'locale', 'sv_SE' );")
    try:
        page = signed_in(desktop, site, "admin")
        page.goto(f"{site.url}/wp-admin/options-general.php?page=intresse")
        expect(page.get_by_label("Tjänstens adress")).to_be_visible()
    finally:
        site.php("delete_user_meta( 1, 'locale' );")


def test_an_author_cannot_change_the_settings(site: Site, desktop: BrowserContext) -> None:
    page = signed_in(desktop, site, "author")
    answer = page.goto(f"{site.url}/wp-admin/options-general.php?page=intresse")
    assert answer
    assert answer.status == 403


def test_nothing_of_a_visitor_is_stored_in_wordpress(site: Site, page: Page, office: Office) -> None:
    send_interest(page, site.publish('[intresse estate="OBJ1"]'))
    arrived(office)
    output = site.php(
        """
        global $wpdb;
        $found = array();
        foreach ( $wpdb->get_col( 'SHOW TABLES' ) as $table ) {
            foreach ( $wpdb->get_results( "SELECT * FROM `$table`", ARRAY_A ) as $row ) {
                if ( false !== stripos( implode( ' ', $row ), 'kesson' ) ) { $found[] = $table; }
            }
        }
        echo wp_json_encode( $found );
        """
    )
    assert output == []


def test_uninstalled_from_a_network_it_leaves_no_site_s_settings(site: Site) -> None:
    site.php(
        """
        require_once ABSPATH . 'wp-admin/includes/upgrade.php';
        foreach ( $wpdb->tables( 'ms_global' ) as $table => $prefixed ) { $wpdb->$table = $prefixed; }
        install_network();
        populate_network( 1, '127.0.0.1', 'admin@example.com', 'Kedjan', '/', false );
        update_option( 'permalink_structure', '' );
        """,
        before="define( 'WP_INSTALLING', true );",
    )
    left = site.php(
        """
        $other = wp_insert_site( array( 'domain' => '127.0.0.1', 'path' => '/kontor/', 'user_id' => 1 ) );
        add_blog_option( $other, 'intresse', get_option( 'intresse' ) );
        define( 'WP_UNINSTALL_PLUGIN', 'intresse/intresse.php' );
        require WP_PLUGIN_DIR . '/intresse/uninstall.php';
        echo wp_json_encode( array( get_blog_option( 1, 'intresse' ), get_blog_option( $other, 'intresse' ) ) );
        """,
        before="""
        $_SERVER['HTTP_HOST'] = '127.0.0.1';  // a network has no port
        define( 'MULTISITE', true );
        define( 'SUBDOMAIN_INSTALL', false );
        define( 'DOMAIN_CURRENT_SITE', '127.0.0.1' );
        define( 'PATH_CURRENT_SITE', '/' );
        define( 'SITE_ID_CURRENT_SITE', 1 );
        define( 'BLOG_ID_CURRENT_SITE', 1 );
        """,
    )
    assert left == [False, False]
